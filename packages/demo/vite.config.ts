import react from '@vitejs/plugin-react'
import { defaultClientConditions, defineConfig } from 'vite'

// The page is built from the packages' sources (the `source` condition of their exports) into dist/, which server.ts serves.
export default defineConfig({
  plugins: [react()],
  resolve: { conditions: ['source', ...defaultClientConditions] },
  logLevel: 'warn',
})
