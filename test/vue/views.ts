// The views of test/contracts/binding.ts as Vue has them, and how they are mounted.

import {
  TautlineProvider,
  useCall,
  useCalls,
  useConnection,
  useExtension,
  useMessages,
  useNotifications,
  usePresence,
  useRoom,
  useTyping,
  useUnread,
  useUnreadRooms,
  useWebSocket,
} from '@tautline/vue'
import {
  type Component,
  createApp,
  createSSRApp,
  defineComponent,
  h,
  onScopeDispose,
  ref,
  shallowReactive,
  type VNode,
} from 'vue'
import { renderToString } from 'vue/server-renderer'
import type { Binding, ViewName, ViewProps } from '../contracts/binding.ts'
import { jobs } from '../support/jobs.ts'

const button = (label: string, press: () => unknown) => h('button', { onClick: () => void press() }, label)
const roomOf = (props: ViewProps) => () => props.id ?? 'general'

/** `setup` runs once; what it returns renders. */
function view(setup: (props: ViewProps) => () => VNode | (VNode | undefined)[]): Component {
  const props = { id: null, pageSize: null, users: null, options: null, onMessage: null, onRender: null }
  return defineComponent((given: ViewProps) => setup(given), { props })
}

const Chat = view((props) => {
  const { status, queued } = useConnection()
  const { room, phase, users } = useRoom(roomOf(props))
  const { items, hasOlder, loadOlder } = useMessages(room, { pageSize: props.pageSize })
  return () => {
    props.onRender?.()
    return [
      h('p', `${status.value}, ${queued.value} queued`),
      h('p', `${room.value.id}: ${phase.value}; here: ${[...users.value.keys()].join(' ')}`),
      h(
        'ol',
        items.value.map(({ key, sender, content, status: state, seq }) =>
          h('li', { key }, `${sender}: ${content} (${state}${seq === undefined ? '' : ' with a place'})`),
        ),
      ),
      hasOlder.value ? button('older', loadOlder) : undefined,
    ]
  }
})

const Status = view((props) => {
  const { status } = useConnection()
  return () => {
    props.onRender?.()
    return h('p', status.value)
  }
})

const Count = view((props) => {
  const { userCount } = useRoom(roomOf(props))
  return () => {
    props.onRender?.()
    return h('p', `${userCount.value} are here`)
  }
})

const Typing = view((props) => {
  const { typing, startTyping, stopTyping } = useTyping(roomOf(props))
  return () => {
    props.onRender?.()
    return h('p', [
      `typing: ${typing.value.join(' ')}`,
      button('start', startTyping),
      button('stop', stopTyping),
    ])
  }
})

const Unread = view((props) => {
  const unread = useUnread(roomOf(props))
  return () => {
    props.onRender?.()
    return h('p', `${unread.value} unread`)
  }
})

const UnreadRooms = view(() => {
  const { total, rooms } = useUnreadRooms()
  return () => {
    const each = Array.from(rooms.value, ([room, count]) => `${room} ${count}`)
    return h('p', `${total.value} in all: ${each.join()}`)
  }
})

const People = view((props) => {
  const users = usePresence(() => [...(props.users ?? [])])
  return () => h('p', Array.from(users.value, ([userId, { status }]) => `${userId} is ${status}`).join())
})

const Bell = view((props) => {
  const { items, unread, isLoaded, readAll, clearAll } = useNotifications()
  return () => {
    const text = `${unread.value} unread${isLoaded.value ? ', loaded' : ''}`
    props.onMessage?.(text)
    return [
      h('p', text),
      h(
        'ul',
        items.value.map(({ seq, type, sender }) => h('li', { key: seq }, `${type} by ${sender}`)),
      ),
      button('read all', readAll),
      button('clear all', clearAll),
    ]
  }
})

const Phone = view(() => {
  const { calls } = useCalls()
  const call = useCall(() => calls.value[0])
  return () => {
    if (!call.value) return h('p', 'no call')
    const { status, startedBy } = call.value
    return h('p', [`${status}, by ${startedBy}`, button('reject', () => calls.value[0]?.reject())])
  }
})

const Offers = view(() => {
  const app = useExtension(jobs)
  const offers = ref<string[]>([])
  onScopeDispose(app.room('general').on('job_offer', ({ payload }) => offers.value.push(payload.jobId)))
  return () => h('p', `offers: ${offers.value.join(' ')}`)
})

const Socket = view((props) => {
  const socket = useWebSocket(() => props.options ?? { token: undefined, userId: undefined })
  const { on, joinRoom, leaveRoom, sendMessage, startTyping, stopTyping } = socket
  const id = roomOf(props)
  onScopeDispose(
    on('message', ({ sender, content }, room) => props.onMessage?.(`${room} ${sender}: ${content}`)),
  )
  return () => {
    const why = socket.error.value ? ` because of ${socket.error.value.code}` : ''
    const { isConnected, client } = socket
    return h('p', [
      isConnected.value ? `connected as ${client.value?.userId}` : `not connected${why}`,
      socket.isReconnecting.value ? ', reconnecting' : '',
      ` for ${id()}`,
      button('connect', socket.connect),
      button('join', () => joinRoom(id())),
      button('leave', () => leaveRoom(id())),
      button('send', () => sendMessage(id(), 'hello')),
      button('type', () => startTyping(id())),
      button('stop', () => stopTyping(id())),
    ])
  }
})

const views: Record<ViewName, Component> = {
  Chat,
  Status,
  Count,
  Typing,
  Unread,
  UnreadRooms,
  People,
  Bell,
  Phone,
  Offers,
  Socket,
}

function pageOf(...[name, client, props]: Parameters<Binding['mount']>): Component {
  const shown = () => h(views[name], props)
  return () => (client ? h(TautlineProvider, { client }, shown) : shown())
}

export const vueBinding: Binding = {
  mount(name, client, props = {}) {
    const element = document.createElement('div')
    document.body.append(element)
    const all = shallowReactive({ ...props })
    const app = createApp(pageOf(name, client, all))
    let isThere = true
    app.mount(element)
    return {
      element,
      update: (more) => void Object.assign(all, more),
      unmount() {
        if (isThere) app.unmount()
        isThere = false
        element.remove()
      },
    }
  },
  renderToString: (name, client, props = {}) => renderToString(createSSRApp(pageOf(name, client, props))),
}
