/** How the load speaks with bare ws. */
import { CONTENT, type Dialect } from './peer.ts'

export const dialect: Dialect = {
  path: '/',
  subprotocol: undefined,
  talk({ token }) {
    let id = 0
    let unanswered = 0
    return {
      hello() {
        unanswered++
        return [JSON.stringify({ id: ++id, enter: [], token })]
      },
      enter(rooms, follow) {
        unanswered++
        return [JSON.stringify({ id: ++id, enter: follow ? rooms : [], token })]
      },
      say(room, count) {
        const texts: string[] = []
        for (let i = 0; i < count; i++) texts.push(`{"id":${++id},"room":"${room}","text":"${CONTENT}"}`)
        return texts
      },
      hear(text, into) {
        if (text.startsWith('{"ack"')) into.acks++
        else if (text.startsWith('{"room"')) into.deliveries++
        else unanswered--
        return []
      },
      isSettled: () => unanswered === 0,
    }
  },
}
