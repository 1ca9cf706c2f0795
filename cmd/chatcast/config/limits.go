package config

import "time"

const maxLimit = 1 << 30

// limit is a number and its range.
type limit struct {
	name             string
	value, low, high int
}

func (l limit) check(section string, violations *ConfigError) {
	if l.value < l.low || l.value > l.high {
		violations.add(section+l.name, "must be from %d to %d, not %d", l.low, l.high, l.value)
	}
}

// timeLimit is a duration and its range.
type timeLimit struct {
	name      string
	value     Duration
	low, high time.Duration
}

func (l timeLimit) check(section string, violations *ConfigError) {
	if d := time.Duration(l.value); d < l.low || d > l.high {
		violations.add(section+l.name, "must be from %s to %s, not %s", spelt(l.low), spelt(l.high), spelt(d))
	}
}

// spelt returns a duration as the configuration spells it.
func spelt(d time.Duration) string {
	text, _ := Duration(d).MarshalText() // it never fails
	return string(text)
}

func checkLimits(l LimitsConfig, violations *ConfigError) {
	for _, wrong := range l.Apps.CheckCommon() {
		violations.add("limits."+wrong.Field, "%s", wrong.Message)
	}
	for _, f := range []limit{
		{"sockets_per_address", l.SocketsPerAddress, 0, maxLimit},
		{"message_bytes", l.MessageBytes, 512, 1 << 24},
		{"messages_per_second", l.MessagesPerSecond, 1, maxLimit},
		{"messages_burst", l.MessagesBurst, 1, maxLimit},
		{"queue_bytes", l.QueueBytes, 64 << 10, maxLimit},
		{"cache_bytes", l.CacheBytes, 1 << 20, 1 << 40},
	} {
		f.check("limits.", violations)
	}
	if l.Apps.EventBytes > l.QueueBytes {
		violations.add("limits.event_bytes", "must not be over limits.queue_bytes: two such events would cut every socket as slow")
	}
	for _, f := range []timeLimit{
		{"cache_ttl", l.CacheTTL, time.Second, 24 * time.Hour},
		{"activity_timeout", l.ActivityTimeout, time.Second, time.Hour},
		{"pong_timeout", l.PongTimeout, time.Second, time.Hour},
	} {
		f.check("limits.", violations)
	}
}
