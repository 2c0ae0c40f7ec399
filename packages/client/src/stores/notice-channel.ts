/**
 * What the tabs that share an outbox tell each other, over a BroadcastChannel. Every page of this origin can say anything
 * there, also one with another version of this package: what is not exactly a notice of ours is nothing. Where there is no
 * BroadcastChannel nothing is told; whoever listens reads the store from time to time anyway.
 */
import { isCode } from '@tautline/protocol/wire'
import type { OutboxNotice } from '../core/outbox-row.ts'

/** Another meaning of a notice is another version. */
const NOTICE_VERSION = 1

export interface NoticeChannel {
  tell(notice: OutboxNotice): void
  close(): void
}

export function openNoticeChannel(name: string, told: (notice: OutboxNotice) => void): NoticeChannel {
  const channel = openChannel(name)
  if (!channel) return { tell() {}, close() {} }
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    const notice = readNotice(data)
    if (notice) told(notice)
  }
  return {
    tell: (notice) => channel.postMessage({ tautline: NOTICE_VERSION, ...notice }),
    close() {
      channel.onmessage = null
      channel.close()
    },
  }
}

function openChannel(name: string): BroadcastChannel | undefined {
  try {
    return new BroadcastChannel(name)
  } catch {
    // There is none, or it is not for this page (sandboxed, private): the others are read, not heard.
    return undefined
  }
}

function readNotice(data: unknown): OutboxNotice | undefined {
  if (!isFields(data) || data['tautline'] !== NOTICE_VERSION) return undefined
  const { settled, isChanged, isHolder } = data
  const isNotice = isList(settled, isSettled) && isFlag(isChanged) && isFlag(isHolder)
  return isNotice ? { settled, isChanged, isHolder } : undefined
}

function isSettled(value: unknown): value is OutboxNotice['settled'][number] {
  return isFields(value) && typeof value['messageId'] === 'string' && isOutcome(value['outcome'])
}

function isOutcome(value: unknown): boolean {
  if (!isFields(value)) return false
  if (value['status'] === 'failed')
    return isCode(value['code']) && isTextOrNone(value['detail']) && isTextOrNone(value['applicationCode'])
  return value['status'] === 'acknowledged' && isPlace(value['seq']) && isTime(value['timestamp'])
}

const isFlag = (value: unknown): value is boolean => typeof value === 'boolean'
const isPlace = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0
const isTime = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isTextOrNone = (value: unknown): boolean => value === undefined || typeof value === 'string'

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isList<T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isItem)
}
