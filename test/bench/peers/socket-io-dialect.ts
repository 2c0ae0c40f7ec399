/** Engine.IO 4 and Socket.IO 5 as they go over a WebSocket: 40 connects, 42 is an event, 43 the ack of one, 2 and 3 are ping and pong. */
import { CONTENT, type Dialect } from './peer.ts'

export const dialect: Dialect = {
  path: '/socket.io/?EIO=4&transport=websocket',
  subprotocol: undefined,
  talk({ token }) {
    let id = 0
    let unanswered = 0
    const entering = new Set<string>()
    const ask = (names: readonly string[]) => {
      unanswered++
      entering.add(`43${id}`)
      return [`42${id++}${JSON.stringify(['enter', names, token])}`]
    }
    return {
      hello() {
        unanswered++
        return ['40']
      },
      enter: (rooms, follow) => ask(follow ? rooms : []),
      say(room, count) {
        const texts: string[] = []
        for (let i = 0; i < count; i++) texts.push(`42${id++}["say","${room}","${CONTENT}"]`)
        return texts
      },
      hear(text, into) {
        if (text.startsWith('43')) {
          if (entering.size > 0 && entering.delete(text.slice(0, text.indexOf('[')))) unanswered--
          else into.acks++
        } else if (text.startsWith('42')) into.deliveries++
        else if (text.startsWith('40')) return unanswered-- > 0 ? ask([]) : []
        else if (text === '2') return ['3']
        return []
      },
      isSettled: () => unanswered === 0,
    }
  },
}
