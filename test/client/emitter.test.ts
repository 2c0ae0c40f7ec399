import { describe, expect, it } from 'vitest'
import { createEmitter } from '../../packages/client/src/emitter.ts'

interface Events {
  said: [text: string]
  done: []
}

describe('an emitter', () => {
  it('calls the listeners of an event in order', () => {
    const { on, emit } = createEmitter<Events>()
    const heard: string[] = []
    on('said', (text) => heard.push(`a ${text}`))
    on('said', (text) => heard.push(`b ${text}`))
    on('done', () => heard.push('done'))
    emit('said', 'hello')
    emit('done')
    expect(heard).toEqual(['a hello', 'b hello', 'done'])
  })

  it('calls once where once is asked', () => {
    const { on, once, emit } = createEmitter<Events>()
    const heard: string[] = []
    const listener = (text: string): void => void heard.push(text)
    once('said', listener)
    emit('said', '1')
    emit('said', '2')
    expect(heard).toEqual(['1'])
    // One that is also there for good stays.
    on('said', listener)
    once('said', listener)
    emit('said', '3')
    emit('said', '4')
    expect(heard).toEqual(['1', '3', '3', '4'])
  })

  it('stops by the returned function or by the listener', () => {
    const { on, once, off, emit } = createEmitter<Events>()
    const heard: string[] = []
    const a = (text: string): void => void heard.push(`a${text}`)
    const b = (text: string): void => void heard.push(`b${text}`)
    const stop = on('said', a)
    on('said', b)
    const stopOnce = once('said', (text) => heard.push(`c${text}`))
    stop()
    stop()
    stopOnce()
    emit('said', '1')
    off('said', b)
    emit('said', '2')
    expect(heard).toEqual(['b1'])
  })

  it('stops only the one registration of a function that was given twice, and calls who stops meanwhile once more', () => {
    const { on, off, emit } = createEmitter<Events>()
    const heard: string[] = []
    const listener = (text: string): void => void heard.push(text)
    const stop = on('said', listener)
    on('said', listener)
    stop()
    emit('said', '1')
    expect(heard).toEqual(['1'])
    on('done', () => off('said', listener))
    on('said', () => emit('done'))
    on('said', listener)
    emit('said', '2')
    emit('said', '3')
    expect(heard).toEqual(['1', '2', '2'])
  })

  it('knows no events by the names that every object has', () => {
    const { on, emit } = createEmitter<{ constructor: []; toString: [] }>()
    const heard: string[] = []
    on('toString', () => heard.push('toString'))
    emit('constructor')
    emit('toString')
    expect(heard).toEqual(['toString'])
  })
})
