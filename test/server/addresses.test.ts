import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { createSources } from '../../packages/server/src/addresses.ts'

function sources(trustedProxies = 0, countsLoopback = false) {
  let told = 0
  const { ofRequest, ofAddress } = createSources(
    { trustedProxies, countsLoopback },
    { onUnbelieved: () => told++ },
  )
  return {
    ofAddress,
    told: () => told,
    of(remoteAddress: string | undefined, forwarded?: string) {
      const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
      return ofRequest({ headers, socket: { remoteAddress } } as IncomingMessage)
    },
  }
}

describe('one address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8:1:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8::5:6:7:8:9', '2001:db8:0:5::/64'],
    ['2001:db8::6:7:8:192.0.2.1', '2001:db8:0:6::/64'],
    ['::1:2:3:4:5:6', '0:0:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('of %s is %s', (address, source) => {
    expect(sources().ofAddress(address)).toBe(source)
  })

  it.each(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])(
    'is none of %s, this machine, unless that is counted too',
    (address) => {
      expect(sources().of(address)).toBeUndefined()
      expect(sources(0, true).of(address)).toBeDefined()
    },
  )

  it('is none where the socket has none', () => {
    expect(sources(0, true).of(undefined)).toBeUndefined()
  })
})

describe('the header X-Forwarded-For', () => {
  it('is not believed by itself, which is told once', () => {
    const { of, told } = sources()
    expect(of('192.0.2.1', '198.51.100.7')).toBe('192.0.2.1')
    expect(of('192.0.2.1', '198.51.100.8')).toBe('192.0.2.1')
    expect(told()).toBe(1)
  })

  it.each([
    [1, '198.51.100.7', '198.51.100.7'],
    [1, 'forged, 203.0.113.1, 198.51.100.7', '198.51.100.7'],
    [2, '203.0.113.1,198.51.100.7 , 10.0.0.1', '198.51.100.7'],
    [2, '198.51.100.7', '198.51.100.7'],
    [1, '198.51.100.7:51234', '198.51.100.7'],
    [1, '[2001:db8::1]:51234', '2001:db8:0:0::/64'],
    [1, '2001:db8::1', '2001:db8:0:0::/64'],
    [1, '127.0.0.1', '127.0.0.1'],
    [1, 'unknown', '192.0.2.1'],
    [1, '198.51.100.7, ', '192.0.2.1'],
    [1, '', '192.0.2.1'],
    [1, undefined, '192.0.2.1'],
  ])('is read from the right, behind %i proxies: %s', (proxies, header, source) => {
    expect(sources(proxies).of('192.0.2.1', header)).toBe(source)
  })
})
