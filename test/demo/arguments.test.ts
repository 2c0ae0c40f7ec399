import { describe, expect, it } from 'vitest'
import { isLoopback, readArguments } from '../../packages/demo/arguments.ts'

const read = (...args: string[]) => readArguments(args, {}, '/data')

describe('the arguments of the demo', () => {
  it('have defaults', () => {
    expect(read()).toEqual({ help: false, host: '127.0.0.1', port: 8080, data: '/data', messages: 0 })
  })

  it('take the port from the command line, else from the environment', () => {
    expect(readArguments([], { PORT: '4000' }, '/data').port).toBe(4000)
    expect(readArguments(['--port', '5000'], { PORT: '4000' }, '/data').port).toBe(5000)
    expect(read('--port', '0').port).toBe(0)
  })

  it.each(['', 'http', '-1', '65536', '80.5'])('refuse %j as a port', (port) => {
    expect(() => read(`--port=${port}`)).toThrow('A port is a number from 0 to 65535')
  })

  it.each(['0.0.0.0', '::', '192.168.1.2', 'chat.example', '127.0.0.1.example', '128.0.0.1'])(
    'refuse to listen on %s, which others can reach',
    (host) => {
      expect(() => read('--host', host)).toThrow('this machine alone')
    },
  )

  it('say how many messages the archive holds', () => {
    expect(read('--messages', '10000').messages).toBe(10_000)
    for (const wrong of ['', '-1', 'many', '1000001'])
      expect(() => read(`--messages=${wrong}`)).toThrow('Messages are a number from 0 to 1000000')
  })

  it('refuse what they do not know', () => {
    expect(() => read('--prot', '80')).toThrow('--prot')
  })
})

describe('a loopback address', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', '[::1]', '::ffff:127.0.0.1', 'localhost'])('is %s', (host) => {
    expect(isLoopback(host)).toBe(true)
  })
})
