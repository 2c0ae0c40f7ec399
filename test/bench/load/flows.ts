/**
 * Who says what, and when. Each flow is a closed loop (what was answered makes room for the next) but for the paced one,
 * which goes by the clock. A flow goes on until it is stopped; what it measures besides counts are latencies.
 */
import type { Crowd, Speaker } from './crowd.ts'

export type FlowOptions =
  /** Each connection keeps so many sends unanswered in its room. */
  | { readonly flow: 'window'; readonly group: string; readonly size: number }
  /**
   * So many connections at a time have `size` sends in flight, in one room each; when all of one's are answered, the next
   * connection says as much in its next room. The load is the same however many connections and rooms there are.
   */
  | { readonly flow: 'flights'; readonly group: string; readonly flights: number; readonly size: number }
  /**
   * The first of the group says `size` things at once, and as much again whenever as much was delivered to everybody; so
   * there are at most `bursts` of them on their way.
   */
  | {
      readonly flow: 'bursts'
      readonly group: string
      readonly to: string
      readonly size: number
      readonly bursts: number
    }
  /** The first of the group says something at even intervals. */
  | { readonly flow: 'paced'; readonly group: string; readonly to: string; readonly perSecond: number }

/** `took`: is told of latencies in milliseconds. Returns how to stop. */
export function startFlow(crowd: Crowd, options: FlowOptions, took: (ms: number) => void): () => void {
  const { flow, group } = options
  if (flow === 'window') return startWindow(crowd.group(group), options.size, took)
  if (flow === 'flights') return startFlights(crowd.group(group), options.flights, options.size)
  const [publisher] = crowd.group(group)
  if (!publisher) throw new Error(`the group ${group} is empty`)
  const followers = crowd.group(options.to)
  return flow === 'bursts'
    ? startBursts(publisher, followers, options.size, options.bursts)
    : startPaced(publisher, followers, options.perSecond, took)
}

function startWindow(speakers: readonly Speaker[], size: number, took: (ms: number) => void): () => void {
  let isStopped = false
  for (const speaker of speakers) {
    /** When what is unanswered was said; answers come in that order. Of one at a time alone. */
    let saidAt = performance.now()
    speaker.onHeard = ({ acks }) => {
      if (size === 1 && acks > 0) took(performance.now() - saidAt)
      if (acks === 0 || isStopped) return
      saidAt = performance.now()
      say(speaker, speaker.rooms[0], acks)
    }
    say(speaker, speaker.rooms[0], size)
  }
  return () => {
    isStopped = true
  }
}

function startFlights(speakers: readonly Speaker[], flights: number, size: number): () => void {
  let isStopped = false
  let turn = 0
  const next = () => {
    if (isStopped) return
    const speaker = speakers[turn % speakers.length]
    if (!speaker) throw new Error('a group without connections has nothing to say')
    const lap = Math.floor(turn / speakers.length)
    turn++
    let unanswered = size
    speaker.onHeard = ({ acks }) => {
      unanswered -= acks
      if (unanswered === 0) next()
    }
    say(speaker, speaker.rooms[lap % speaker.rooms.length], size)
  }
  for (let i = 0; i < Math.min(flights, speakers.length); i++) next()
  return () => {
    isStopped = true
  }
}

function startBursts(
  publisher: Speaker,
  followers: readonly Speaker[],
  size: number,
  bursts: number,
): () => void {
  let isStopped = false
  const perBurst = size * followers.length
  let untilNext = perBurst
  for (const follower of followers) {
    follower.onHeard = ({ deliveries }) => {
      untilNext -= deliveries
      if (untilNext > 0 || isStopped) return
      untilNext += perBurst
      say(publisher, publisher.rooms[0], size)
    }
  }
  for (let i = 0; i < bursts; i++) say(publisher, publisher.rooms[0], size)
  return () => {
    isStopped = true
  }
}

function startPaced(
  publisher: Speaker,
  followers: readonly Speaker[],
  perSecond: number,
  took: (ms: number) => void,
): () => void {
  const saidAt: number[] = []
  for (const follower of followers) {
    let heard = 0
    follower.onHeard = ({ deliveries }) => {
      const now = performance.now()
      for (let i = 0; i < deliveries; i++) took(now - (saidAt[heard++] ?? now))
    }
  }
  const timer = setInterval(() => {
    saidAt.push(performance.now())
    say(publisher, publisher.rooms[0], 1)
  }, 1_000 / perSecond)
  return () => clearInterval(timer)
}

function say({ talk, link }: Speaker, room: string | undefined, count: number): void {
  if (room === undefined) throw new Error('one who is in no room has nowhere to say something')
  for (const text of talk.say(room, count)) link.send(text)
}
