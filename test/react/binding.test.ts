// @vitest-environment jsdom
import { describeBinding } from '../contracts/binding.ts'
import { reactBinding } from './views.tsx'

describeBinding('React 19', reactBinding(false))
describeBinding('React 19, in Strict Mode', reactBinding(true))
