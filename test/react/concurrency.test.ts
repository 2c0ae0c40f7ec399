// @vitest-environment jsdom
import { describeConcurrency } from './concurrency.tsx'

describeConcurrency('concurrent rendering, React 19')
