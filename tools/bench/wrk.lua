-- wrk.lua - what wrk is to ask, and what it is to say at the end.
--
--   wrk ... -s wrk.lua URL -- DEPTH     that many requests go out at once on each connection
--
-- The last line is one JSON object. Times are in microseconds.

local depth = 1

function init(args)
    depth = tonumber(args[1]) or 1
    if depth > 1 then
        local batch = string.rep(wrk.format(), depth)
        wrk.request = function() return batch end
        request = wrk.request
    end
end

-- What wrk adds for a request that took long may lie below the least time that it has seen, where
-- percentile() does not look: that finds the percentiles up to this one, and 0 from there on.
local function seen(latency)
    local least, most = 0, 100
    for _ = 1, 40 do
        local middle = (least + most) / 2
        if latency:percentile(middle) > 0 then least = middle else most = middle end
    end
    return least
end

function done(summary, latency)
    local errors, all = summary.errors, seen(latency) / 100
    print(string.format('{"requests":%d,"duration_us":%d,"lost":%d,"refused":%d,' ..
        '"p50":%.0f,"p99":%.0f,"p999":%.0f}', summary.requests, summary.duration,
        errors.connect + errors.read + errors.write + errors.timeout, errors.status,
        latency:percentile(50 * all), latency:percentile(99 * all), latency:percentile(99.9 * all)))
end
