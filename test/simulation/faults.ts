// What may go wrong in a run, and how often: a profile is a mix of faults, each with the number of times that it happens
// in a run on average, and a little about who is there and what they do. Which profile a run has is decided by its seed,
// unless somebody asks for one; the directed ones lean on one part of the promise.

export const FAULTS = {
  node_crash: 'a server process dies; its connections break',
  node_power_cut: 'a server machine dies; nobody is told',
  node_restart: 'a server drains and starts again',
  crash_before_commit: 'a server dies while its commit is on the way to the disk',
  crash_after_commit: 'a server dies after its commit, before it told anybody',
  unknown_and_kept: 'a commit happens, and its server hears that it failed',
  unknown_and_lost: 'a commit of which nobody knows did not happen',
  commit_failed: 'the store refuses a commit',
  slow_commit: 'a commit takes seconds',
  store_outage: 'the store answers nothing for a while',
  snapshot: 'a backup of the store is taken',
  restore: 'the store is set back to the backup, as the same log',
  new_epoch: 'the store is set back to the backup, as another log',
  node_clock_step: "a server's date is set",
  revoked: 'tokens are revoked',
  disconnected: "a user's connections are ended by the application",
  link_cut: 'a connection breaks',
  link_silent: 'nothing comes through a connection any more, and nobody is told',
  link_half_open: 'a client loses its connection, and what it had sent arrives much later',
  link_stall: 'nothing comes through a connection for a while',
  dial_refused: 'connections are refused for a while',
  dial_silent: 'attempts to connect are not answered for a while',
  proxy_drop: 'what stands between accepts connections and drops them, for a while',
  reload: 'a page is loaded anew',
  tab: 'one more tab is opened',
  browser_crash: 'a machine goes off: all tabs, and what was written without haste',
  storage_evicted: 'the browser throws the outbox away',
  storage_blocked: 'the storage of the browser does not open for a while',
  storage_full: 'a write finds no space',
  storage_slow: 'the storage takes seconds for a while',
  notices_muted: 'tabs do not hear of each other for a while',
  lock_doubled: 'two tabs hold the lock',
  sleep: 'a device sleeps for minutes',
  night: 'all devices sleep for hours',
  throttle: 'timers of a page are late by up to a minute',
  client_clock_step: "a device's date is set",
  nudge: 'a page becomes visible, the network comes or goes',
  hang_up: 'the application disconnects and connects again',
  close: 'the application closes a client for good',
  token_bad: 'the application gives a token that is refused',
  token_undecided: 'nobody can say whether a token is good',
  token_failed: 'the application has no token',
  token_late: 'a token takes its time',
  token_expired: 'the application gives a token that is over',
  token_short: 'tokens live for seconds',
  token_other: "the application gives another user's token",
  cancel: 'a message is cancelled on its way',
  member_flip: 'somebody joins, leaves, is invited, comes in or is put out',
  stranger: 'somebody writes to a room that is not theirs',
  burst: 'somebody sends faster than they may',
  flood: 'more is said in a room than fits into a page',
  poison: 'a message on which the store fails',
  invalid: 'a message that the server refuses',
  too_long: 'a message that is too long',
  unfollow: 'a room is followed no more, then again',
} as const

export type Fault = keyof typeof FAULTS

export interface Profile {
  readonly about: string
  /** How often in a run of the seeds that choose for themselves. */
  readonly weight: number
  /** By fault: how many times in a run, on average. */
  readonly rates: { readonly [F in Fault]?: number }
  readonly nodes?: number
  readonly devices?: number
  readonly activeMs?: number
  /** Messages that each device sends, on average. */
  readonly sends?: number
  /** All outboxes are kept in stores; else half of them. */
  readonly durable?: boolean
  /** Small limits, so that they are met. */
  readonly tightLimits?: boolean
  /** Messages pass quickly; who is behind jumps to the newest page. */
  readonly fastLimits?: boolean
  /** A user has one connection on each server: the newest takes the place of the older. */
  readonly rivals?: boolean
}

/** A little of everything. */
const EVERYTHING: Profile['rates'] = {
  node_crash: 0.5,
  node_power_cut: 0.2,
  node_restart: 0.2,
  crash_before_commit: 0.3,
  crash_after_commit: 0.3,
  unknown_and_kept: 0.3,
  unknown_and_lost: 0.3,
  commit_failed: 0.4,
  slow_commit: 0.4,
  store_outage: 0.2,
  snapshot: 0.25,
  restore: 0.15,
  new_epoch: 0.05,
  node_clock_step: 0.1,
  revoked: 0.1,
  disconnected: 0.1,
  link_cut: 1.2,
  link_silent: 0.5,
  link_half_open: 0.8,
  link_stall: 0.8,
  dial_refused: 0.3,
  dial_silent: 0.2,
  proxy_drop: 0.1,
  reload: 0.5,
  tab: 0.3,
  browser_crash: 0.2,
  storage_evicted: 0.05,
  storage_blocked: 0.1,
  storage_full: 0.05,
  storage_slow: 0.2,
  notices_muted: 0.3,
  lock_doubled: 0.2,
  sleep: 0.3,
  night: 0.03,
  throttle: 0.3,
  client_clock_step: 0.2,
  nudge: 0.6,
  hang_up: 0.2,
  close: 0.1,
  token_bad: 0.15,
  token_undecided: 0.15,
  token_failed: 0.2,
  token_late: 0.2,
  token_expired: 0.2,
  token_short: 0.15,
  token_other: 0.05,
  cancel: 1,
  member_flip: 1,
  stranger: 0.3,
  burst: 0.3,
  poison: 0.08,
  invalid: 0.2,
  too_long: 0.2,
  unfollow: 0.3,
}

function harsher(times: number): Profile['rates'] {
  return Object.fromEntries(Object.entries(EVERYTHING).map(([fault, rate]) => [fault, rate * times]))
}

export const PROFILES = {
  mix: { about: 'a little of everything', weight: 40, rates: EVERYTHING },
  calm: {
    about: 'next to nothing goes wrong',
    weight: 5,
    rates: { link_cut: 0.3, cancel: 1, member_flip: 1 },
  },
  harsh: { about: 'everything, more of it', weight: 20, rates: harsher(2.5) },
  commits: {
    about: 'crashes around commits, and commits of unknown outcome',
    weight: 5,
    rates: {
      crash_before_commit: 2,
      crash_after_commit: 3,
      unknown_and_kept: 3,
      unknown_and_lost: 1,
      commit_failed: 2,
      slow_commit: 2,
      link_half_open: 1,
      cancel: 2,
    },
    sends: 14,
  },
  wires: {
    about: 'connections that break, stall and deliver late',
    weight: 5,
    rates: { link_cut: 4, link_half_open: 5, link_silent: 1, link_stall: 3, slow_commit: 2, cancel: 2 },
    sends: 14,
  },
  restores: {
    about: 'the store is set back to a backup',
    weight: 5,
    rates: { snapshot: 2, restore: 2, new_epoch: 0.2, link_cut: 1, crash_after_commit: 1 },
    sends: 12,
  },
  outages: {
    about: 'the store fails for minutes',
    weight: 3,
    rates: { store_outage: 3, commit_failed: 2, slow_commit: 1, poison: 0.2 },
    activeMs: 200_000,
  },
  tokens: {
    about: 'tokens in all their states',
    weight: 5,
    rates: {
      token_bad: 1,
      token_undecided: 1,
      token_failed: 1.5,
      token_late: 1.5,
      token_expired: 1,
      token_short: 1.5,
      token_other: 0.2,
      revoked: 0.5,
      disconnected: 0.3,
      link_cut: 2,
    },
  },
  members: {
    about: 'people come and go',
    weight: 5,
    rates: {
      member_flip: 12,
      stranger: 2,
      link_cut: 1,
      link_half_open: 1,
      unfollow: 1,
      crash_after_commit: 0.5,
    },
  },
  strangers: {
    about: 'people write to rooms that they join later, over wires that deliver late',
    weight: 2,
    rates: { stranger: 12, member_flip: 10, link_half_open: 8, link_cut: 1, crash_after_commit: 0.5 },
  },
  refusals: {
    about: 'connections that are refused, and servers that come and go',
    weight: 3,
    rates: {
      dial_refused: 2,
      dial_silent: 2,
      proxy_drop: 2,
      node_crash: 2,
      node_restart: 2,
      nudge: 1,
      hang_up: 1,
    },
  },
  sleepers: {
    about: 'devices that sleep, and timers that are late',
    weight: 3,
    rates: { sleep: 3, night: 0.3, throttle: 3, link_stall: 1, nudge: 2, client_clock_step: 1 },
    activeMs: 240_000,
  },
  reloads: {
    about: 'pages that are loaded anew',
    weight: 3,
    rates: { reload: 5, close: 0.3, link_half_open: 2, crash_after_commit: 1 },
  },
  tabs: {
    about: 'tabs that share an outbox, and do not always know of each other',
    weight: 12,
    rates: {
      tab: 2,
      reload: 2,
      browser_crash: 0.7,
      storage_slow: 0.5,
      notices_muted: 1.5,
      lock_doubled: 2,
      sleep: 1.5,
      throttle: 0.5,
      link_cut: 2,
      link_half_open: 2,
      crash_after_commit: 1,
      unknown_and_kept: 1,
      commit_failed: 1,
      cancel: 2,
      stranger: 1,
      invalid: 0.5,
      snapshot: 0.5,
      restore: 0.4,
    },
    durable: true,
    sends: 12,
  },
  storage: {
    about: 'storage that fails, is thrown away, and loses its last writes',
    weight: 4,
    rates: {
      tab: 0.7,
      reload: 3,
      browser_crash: 2,
      storage_evicted: 0.6,
      storage_blocked: 1,
      storage_full: 0.6,
      storage_slow: 1,
      link_cut: 2,
      crash_after_commit: 1,
      cancel: 2,
      stranger: 2,
      member_flip: 2,
      invalid: 1,
    },
    durable: true,
    sends: 12,
  },
  rivals: {
    about: 'devices of one user that put each other out',
    weight: 3,
    rates: { link_cut: 2, reload: 1, nudge: 1, link_half_open: 1 },
    devices: 2,
    rivals: true,
  },
  floods: {
    about: 'more is said than can be read at once, while others sleep',
    weight: 4,
    rates: { flood: 1.5, sleep: 3, link_silent: 1, link_cut: 1, reload: 0.5, snapshot: 0.3, restore: 0.2 },
    devices: 1,
    fastLimits: true,
  },
  limits: {
    about: 'limits that are met, and slow readers',
    weight: 4,
    rates: {
      burst: 3,
      poison: 0.2,
      invalid: 1,
      too_long: 1,
      cancel: 2,
      link_stall: 2,
      link_silent: 1,
      link_cut: 0.5,
      sleep: 1.5,
    },
    tightLimits: true,
    sends: 14,
  },
} satisfies Record<string, Profile>

export type ProfileName = keyof typeof PROFILES

export function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(PROFILES, name)
}
