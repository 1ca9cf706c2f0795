package apps

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
)

// Origins decides which web pages may connect. The zero Origins allows every page.
// Immutable, unless it comes from Changeable.
type Origins struct {
	rules []originRule             // none: any
	now   *atomic.Pointer[Origins] // stands for this one if it is not nil
}

// Changeable returns Origins that begin as o, and a function that replaces them in all
// copies.
func (o Origins) Changeable() (now Origins, set func(Origins)) {
	now.now = &atomic.Pointer[Origins]{}
	now.now.Store(&o)
	return now, func(next Origins) { now.now.Store(&next) }
}

// current returns the Origins that o stands for.
func (o Origins) current() Origins {
	if o.now != nil {
		return *o.now.Load()
	}
	return o
}

// originRule is one entry: a whole origin, or the parts before and after its *.
type originRule struct {
	before, after string
	wild          bool
	anyPort       bool // before and after have none
}

// ParseOrigins parses a list of origins as browsers send them:
// "https://app.example.com", with the port unless it is the scheme's default. One * may
// stand for a part of the host ("https://*.example.com"), and * as the port stands for
// every port, that of the scheme too ("http://localhost:*"). "*" alone, or an empty list,
// allows any origin. An entry that no browser could send is an error, because it would
// silently shut everybody out.
func ParseOrigins(list []string) (Origins, error) {
	var o Origins
	anyOrigin := false
	for _, entry := range list {
		entry = strings.ToLower(strings.TrimSpace(entry))
		if entry == "*" {
			anyOrigin = true
			continue
		}
		if why := originFault(entry); why != "" {
			return Origins{}, fmt.Errorf("origin %q: %s; %s", entry, why, originForm)
		}
		host, anyPort := strings.CutSuffix(entry, everyPort)
		before, after, wild := strings.Cut(host, "*")
		o.rules = append(o.rules, originRule{before, after, wild, anyPort})
	}
	if anyOrigin {
		return Origins{}, nil
	}
	return o, nil
}

// everyPort ends an entry for all ports of a host.
const everyPort = ":*"

const originForm = "write it as https://app.example.com, https://*.example.com or http://localhost:*"

// originFault returns the reason why no browser sends the entry, or "". The entry must
// be in lower case and without spaces around it.
func originFault(entry string) string {
	if entry == "null" {
		return `"null" is sent by every sandboxed page, so it names nobody`
	}
	entry, anyPort := strings.CutSuffix(entry, everyPort)
	if strings.Count(entry, "*") > 1 {
		return "only one * is allowed in the host"
	}
	scheme, _, _ := strings.Cut(entry, ":")
	u, err := url.Parse(strings.Replace(entry, "*", "x", 1))
	switch {
	case err != nil:
		return "it is no origin"
	case u.Scheme == "" || u.Host == "":
		return "it needs a scheme and a host"
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return "nothing may follow the host and port"
	case anyPort && u.Port() != "":
		return "it has two ports"
	case strings.Contains(scheme, "*"):
		return "the scheme must be written out"
	case u.Scheme == "https" && u.Port() == "443", u.Scheme == "http" && u.Port() == "80":
		return "browsers leave the scheme's own port out"
	}
	return ""
}

// Any reports whether every origin is allowed.
func (o Origins) Any() bool { return len(o.current().rules) == 0 }

// Allow reports whether origin, the value of the Origin header, is allowed. Programs
// that are not browsers send none, which is allowed.
func (o Origins) Allow(origin string) bool {
	o = o.current()
	if o.Any() || origin == "" {
		return true
	}
	origin = strings.ToLower(origin)
	return slices.ContainsFunc(o.rules, func(r originRule) bool { return r.allows(origin) })
}

// allows reports whether r allows origin, which is in lower case.
func (r originRule) allows(origin string) bool {
	if r.anyPort {
		origin = withoutPort(origin)
	}
	if !r.wild {
		return origin == r.before
	}
	return len(origin) > len(r.before)+len(r.after) &&
		strings.HasPrefix(origin, r.before) && strings.HasSuffix(origin, r.after) &&
		!strings.ContainsAny(origin[len(r.before):len(origin)-len(r.after)], "/:@")
}

// withoutPort cuts the port off an origin, if it has one.
func withoutPort(origin string) string {
	at := strings.LastIndexByte(origin, ':')
	if at < 0 || at+1 == len(origin) || strings.Trim(origin[at+1:], "0123456789") != "" {
		return origin
	}
	return origin[:at]
}
