/**
 * What keeps a goal from being met, or from its aim: what a profile showed, in a sentence or two, beside the goal it is about. It
 * is told with the goal wherever that is not met. Figures that change with each measurement do not belong here.
 */

/** By workload, then by what the goal is about (`Goal.what`). */
export const FLOORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'one-sender': {
    'of bare ws, window raised':
      'One connection gets all its acks of a commit in one frame, and answers them with one or two frames: load, server and disk work one after the other, while bare ws answers the first message before it has read the last. Of the program’s time for a message half is SQLite (3.5 µs for the row with its two indexes and the pages of the log, 0.7 µs to look for the id), which a message that is stored cannot do without. A thread of its own for the database was tried: to hand over 1,024 operations and their outcomes costs the two threads 3.5 µs of each, and what could be won is the wait for the disk, a fifth of the time at most; it was not built.',
  },
  'small-window': {
    'of bare ws':
      'Sixteen messages share one commit, which writes six pages of the log and waits for the disk; nothing else is there to be done meanwhile, for the next sixteen are said when these are acknowledged.',
  },
  'lock-step': {
    'p50 on top of one fsync of the same round':
      'A commit of one message writes six pages (the row, its two indexes, room, lane, read position), where the probe writes one: on a quiet disk that takes about twice as long. The answer also costs what bare ws takes.',
  },
  'fan-out': {
    'of a loop of ws.send':
      'A delivery takes two thirds of the loop’s time of the server; the rate also has the wait for the disk in it, during which none is made.',
  },
  validation: {
    'one message':
      'The three identifiers of a frame are checked character by character (a tenth of JSON.parse, which only copies them), and the frame and its message are made anew without fields that nobody knows.',
    '16 messages': 'Half of it is the message ids, which are checked character by character.',
  },
  replay: {
    'messages a second, bare frames':
      'A page holds 100 entries, and is asked for when the one before is there: a hundred round trips. Each entry is made of a row of seven columns, its payload parsed and written again.',
  },
  bytes: {
    'one by one':
      'A message carries its id (21 characters), the id of its lane (16), its place and its ref, so that it can be sent again after any failure; the ack carries position and time. Names of fields are spelt out.',
  },
  memory: {
    'of one connection':
      'Of what is ours, beyond bare ws, 5.6 KiB are heap: a connection that has authenticated, follows a room and its user’s own log, and is a member in the caches of the store.',
  },
  accept: {
    'with the JWT checked':
      'Bare ws, which checks nothing, takes about as much by itself as the goal allows: accept, an HTTP request, the upgrade with its SHA-1, two writes. Of the rest, which is as much again and spread thin, the token is the largest part (a fourteenth of all, of which the HMAC is a third), then the checked frame of the greeting (a twentieth), and the second write, of `connected`.',
  },
  rooms: {
    'cost at 10,000 rooms, of that at 1':
      'Each commit holds runs of 16 messages of ten rooms: ten rows of rooms, and ten places in each of two indexes, instead of one row and two ends of an index. In the store alone, by the same commits, a message takes 9.3 µs at one room and 12.4 at 10,000. A page cache of 64 MiB instead of 16, and a log four times as long before it is copied back, changed nothing.',
  },
  connections: {
    'cost at 10,000 connections, of that at 10':
      'Lanes and read positions are rows of 10,000 users instead of ten. In the store alone, by the same commits, a message takes 8.8 µs with ten users and 10.8 with 10,000; the rest is above it, and was not found in one place.',
  },
  'herd-1s': {
    '99 % are back':
      'A model in which nothing takes time says 2.3 s: the third wait is up to 2.25 s long, and what comes beyond 1,000 and 500 a second gets a slot. The rest is computing: the 2,000 whole clients of the load share one process, which takes 2.2 to 3 s of its core to dial, fail and dial again, and the server takes about half a millisecond for each while its code is cold.',
    'share of all within the same 100 ms':
      'In the model it is 10 %. Who waits while a process is busy for some 100 ms comes back with all others who did.',
  },
}
