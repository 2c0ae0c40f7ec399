/**
 * The checks of what only some pages hear: each table is learned by the entry that acts on its messages, so that a page
 * without that entry does not carry them.
 */
import {
  type Checks,
  isAboutRoom,
  isCount,
  isCounts,
  isEntry,
  isFields,
  isFlag,
  isList,
  isMaybe,
  isText,
  isUnread,
} from './shapes.ts'

export const HISTORY_CHECKS: Checks = {
  history: (payload) =>
    isAboutRoom(payload) &&
    isList(payload.entries, isEntry) &&
    isCount(payload.at) &&
    isMaybe(isCount, payload.from) &&
    isMaybe(isCount, payload.to) &&
    isFlag(payload.hasOlder) &&
    isFlag(payload.hasNewer),
  version_list: (payload) =>
    isAboutRoom(payload) &&
    isList(payload.versions, (item) => isCount(item.seq) && isFields(item.body)) &&
    isFlag(payload.hasOlder),
  reaction_list: (payload) => isAboutRoom(payload) && isList(payload.reactions, (item) => isText(item.emoji)),
}

export const ADMIN_CHECKS: Checks = {
  member_list: (payload) =>
    isAboutRoom(payload) && isList(payload.members, (item) => isText(item.userId)) && isFlag(payload.hasMore),
  active_member_list: (payload) =>
    isAboutRoom(payload) && isList(payload.members, (item) => isText(item.userId)),
}

export const PRESENCE_CHECKS: Checks = {
  user_presence: (payload) =>
    isMaybe(isCount, payload.ref) &&
    isList(payload.users, (item) => isText(item.userId) && isText(item.status)) &&
    isMaybe(Array.isArray, payload.ended),
}

export const EXTENSION_CHECKS: Checks = {
  signal: (payload) =>
    isText(payload.type) &&
    isFields(payload.payload) &&
    isMaybe(isText, payload.room) &&
    isMaybe(isText, payload.sender),
  response: (payload) => isCount(payload.ref) && isFields(payload.payload),
}

export const NOTIFICATION_CHECKS: Checks = {
  notification_list: (payload) =>
    isCount(payload.ref) &&
    isList(
      payload.notifications,
      (item) => isFields(item.entry) && isEntry(item.entry) && isFlag(item.read),
    ) &&
    isCount(payload.unread) &&
    isCount(payload.head) &&
    isFlag(payload.hasOlder),
  notifications_changed: (payload) =>
    isMaybe(isCount, payload.ref) &&
    isMaybe(isCounts, payload.read) &&
    isMaybe(isCounts, payload.cleared) &&
    isMaybe(isCount, payload.readUpTo) &&
    isMaybe(isCount, payload.clearedUpTo) &&
    isCount(payload.unread) &&
    isCount(payload.head),
  notifications_set: (payload) =>
    isMaybe(isCount, payload.ref) &&
    isText(payload.room) &&
    isText(payload.level) &&
    isMaybe(isCount, payload.silencedUntil),
}

export const USER_CHECKS: Checks = {
  user_list: (payload) => isCount(payload.ref) && isList(payload.users, (item) => isText(item.userId)),
}

export const UNREAD_CHECKS: Checks = {
  unread_list: (payload) =>
    isCount(payload.ref) && isList(payload.rooms, isUnread) && isMaybe(isText, payload.next),
}
