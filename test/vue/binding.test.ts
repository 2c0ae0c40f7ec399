// @vitest-environment jsdom
import { describeBinding } from '../contracts/binding.ts'
import { vueBinding } from './views.ts'

describeBinding('Vue 3', vueBinding)
