-- The rate budget of one shop; limits.py says what it is for. KEYS[1] holds all of it:
--   a, m, r, t   points available, the bucket's size, points restored a second, and when told (ms)
--   h            nobody goes before this (ms)
--   q            the line of reservations {number, cost, dead from (ms)}, oldest first
-- ARGV: what to do, a reservation's number, then
--   reserve  cost, the bucket as the asker believes it (a, m, r or "" thrice), and how long (ms)
--            until a waiter asks again, until a silent one is dead, until a request is over;
--            returns how long to wait (ms), 0 to go
--   learn    the bucket as an answer told it (a, m, r or "" thrice)
--   hold     how long (ms); returns how long it will be by the longest hold
--   forget   nothing; the number is how those begin that are taken out of the line
local act, number = ARGV[1], ARGV[2]
local told = redis.call('TIME')
local now = told[1] * 1000 + math.floor(told[2] / 1000)
local raw = redis.call('GET', KEYS[1])
local s = raw and cmsgpack.unpack(raw) or {}
local line = {}
for _, one in ipairs(s.q or {}) do
  if one[3] > now then line[#line + 1] = one end
end
s.q = line

local function believe(available, maximum, restored)
  if available ~= '' then
    s.a, s.m, s.r, s.t = tonumber(available), tonumber(maximum), tonumber(restored), now
  end
end

local function reserve(cost, step, grace, lease)
  local mine, ahead = nil, 0
  for _, one in ipairs(line) do
    if one[1] == number then mine = one break end
    ahead = ahead + one[2]
  end
  if not mine then
    mine = {number, cost, 0}
    line[#line + 1] = mine
  end
  local wait = 0
  if s.r and s.r > 0 then
    local grown = math.min(s.m, s.a + (now - s.t) * s.r / 1000)
    -- A query dearer than the whole bucket can only ask and be told so.
    local missing = math.min(cost, s.m) - (grown - ahead)
    -- Never so short that an answer still under way makes it spin.
    if missing > 0 then wait = math.max(math.ceil(missing * 1000 / s.r), 20) end
  end
  if s.h and s.h - now > wait then wait = s.h - now end
  mine[3] = now + (wait > 0 and math.min(wait, step) + grace or lease)
  return wait
end

local answer = 0
if act == 'reserve' then
  if not s.r then believe(ARGV[4], ARGV[5], ARGV[6]) end
  answer = reserve(tonumber(ARGV[3]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]))
elseif act == 'learn' then
  for at, one in ipairs(line) do
    if one[1] == number then table.remove(line, at) break end
  end
  believe(ARGV[3], ARGV[4], ARGV[5])
elseif act == 'forget' then
  local kept = {}
  for _, one in ipairs(line) do
    if string.sub(one[1], 1, #number) ~= number then kept[#kept + 1] = one end
  end
  s.q = kept
elseif act == 'hold' then
  s.h = math.max(s.h or 0, now + tonumber(ARGV[3]))
  answer = s.h - now
end
-- An hour: whatever is older has long been refilled.
redis.call('SET', KEYS[1], cmsgpack.pack(s), 'EX', 3600)
return answer
