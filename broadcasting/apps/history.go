package apps

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"chatcast/channels"
)

// History is a rule of which events of an app are kept, so that they can be read later.
type History struct {
	Channels  string `json:"channels"`  // a channel's name, in which each * stands for any text
	Retention string `json:"retention"` // how long events can be read, such as 24h
	Signed    bool   `json:"signed"`    // a page resumes only from what its backend has signed
}

// Bounds of histories.
const (
	MaxHistories = 32 // rules of an app
	MinRetention = time.Minute
	MaxRetention = 90 * 24 * time.Hour
)

// checkHistory checks the rules of an app.
func checkHistory(c *checker, list []History) {
	if len(list) > MaxHistories {
		c.add("history", "must be at most %d", MaxHistories)
	}
	for i, rule := range list {
		field := item("history", i)
		switch {
		case rule.Channels == "" || len(rule.Channels) > channels.MaxLength:
			c.add(field+".channels", "must be a channel's name, in which * stands for any text, 1 to %d bytes", channels.MaxLength)
		case !utf8.ValidString(rule.Channels) || strings.ContainsFunc(rule.Channels, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
			c.add(field+".channels", "has a character that no channel's name has")
		}
		if d, err := time.ParseDuration(rule.Retention); err != nil || d < MinRetention || d > MaxRetention {
			c.add(field+".retention", "must be a duration from 1m to %dh, such as 24h", int(MaxRetention/time.Hour))
		}
	}
}

// Histories are the rules of an app, ready for use. The zero value keeps nothing.
type Histories []historyRule

type historyRule struct {
	parts  []string // the pattern, without its stars
	keep   time.Duration
	signed bool
}

// ParseHistory returns the rules of an app that Check has found right.
func ParseHistory(list []History) (rules Histories, err error) {
	for i, rule := range list {
		keep, err := time.ParseDuration(rule.Retention)
		if err != nil {
			return nil, fmt.Errorf("%s.retention: %w", item("history", i), err)
		}
		rules = append(rules, historyRule{strings.Split(rule.Channels, "*"), keep, rule.Signed})
	}
	return rules, nil
}

// Of returns how long events of a channel are kept, by the first rule that matches, and
// whether only a signed cursor resumes it. It is 0 when they are not kept.
func (h Histories) Of(channel string) (keep time.Duration, signed bool) {
	for _, rule := range h {
		if rule.matches(channel) {
			return rule.keep, rule.signed
		}
	}
	return 0, false
}

// MatchesChannel reports whether a channel's name matches the pattern of a rule.
func MatchesChannel(pattern, channel string) bool {
	return historyRule{parts: strings.Split(pattern, "*")}.matches(channel)
}

// matches finds the parts one after the other: the first at the beginning, the last at the
// end, and each other one as early as it is.
func (r historyRule) matches(channel string) bool {
	rest, ok := strings.CutPrefix(channel, r.parts[0])
	last := len(r.parts) - 1
	if !ok || last == 0 {
		return ok && rest == ""
	}
	for _, part := range r.parts[1:last] {
		if _, rest, ok = strings.Cut(rest, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, r.parts[last])
}
