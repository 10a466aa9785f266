package redisstore

// Every script writes its key, even if nothing changes: WAIT waits for the last write of its connection,
// and an earlier attempt may not have reached the replicas.
const (
	// login sets the user's one session. Arguments: session, milliseconds.
	login = `redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1`

	// loginAlso adds to the user's sessions. Before that it removes those that have expired, and those
	// that expire first of more than 99. Arguments: session, milliseconds.
	loginAlso = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -100)
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last[2]))
return 1`

	// revokeAll ends all sessions of the user.
	revokeAll = `redis.call('SET', KEYS[1], '') redis.call('DEL', KEYS[1]) return 1`

	// revokeThis ends the session if the user has no other. Argument: session.
	revokeThis = `
local current = redis.call('GET', KEYS[1])
if current and current ~= ARGV[1] then
  redis.call('SET', KEYS[1], current, 'KEEPTTL')
  return 0
end
redis.call('SET', KEYS[1], '')
redis.call('DEL', KEYS[1])
return 1`

	// revokeOneOf ends one of the user's sessions. Argument: session.
	revokeOneOf = `
redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('ZREM', KEYS[1], ARGV[1])
return 1`

	// deny writes a revocation: the later of the moment and the one that is there. It keeps it until the
	// later of both expiries, since services can differ in MaxTokenAge. Arguments: moment, expiry.
	deny = `
local known = redis.call('GET', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
local moment = ARGV[1]
if known and tonumber(known) >= tonumber(moment) then
  moment = known
end
redis.call('SET', KEYS[1], moment, 'PXAT', ARGV[2])
if left == -1 then
  redis.call('SET', KEYS[1], moment)
elseif left > redis.call('PTTL', KEYS[1]) then
  redis.call('SET', KEYS[1], moment, 'PX', left)
end
return 1`

	// begin writes an epoch, unless there is one. Argument: moment.
	begin = `
local known = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], known or ARGV[1])
return 1`
)
