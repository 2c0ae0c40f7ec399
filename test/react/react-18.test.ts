// @vitest-environment jsdom
// The same suites with React 18: it stands in for React 19 in all modules of this file.

import { version } from 'react'
import { expect, it, vi } from 'vitest'
import { describeBinding } from '../contracts/binding.ts'
import { describeConcurrency } from './concurrency.tsx'
import { reactBinding } from './views.tsx'

vi.mock('react', async () => (await import('../react-18/load.ts')).load('react'))
vi.mock('react/jsx-runtime', async () => (await import('../react-18/load.ts')).load('react/jsx-runtime'))
vi.mock('react/jsx-dev-runtime', async () =>
  (await import('../react-18/load.ts')).load('react/jsx-dev-runtime'),
)
vi.mock('react-dom/client', async () => (await import('../react-18/load.ts')).load('react-dom/client'))
vi.mock('react-dom/server', async () => (await import('../react-18/load.ts')).load('react-dom/server'))

it('is React 18', () => expect(version).toMatch(/^18\./))

describeBinding('React 18', reactBinding(false))
describeBinding('React 18, in Strict Mode', reactBinding(true))
describeConcurrency('concurrent rendering, React 18')
