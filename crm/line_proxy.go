package crm

import (
	"context"
	"strconv"
	"time"
)

// ProxyTester is a Messenger that can try proxies.
type ProxyTester interface {
	Messenger
	// TryProxy reaches the messenger through the proxy with this URL.
	TryProxy(ctx context.Context, proxy string) error
}

// proxyPace is how fast a company may have proxies tried: what an attempt answers tells of the address
// that was dialled.
var proxyPace = pace{10, time.Minute}

// TryProxy checks that the messenger of a line is reached through a proxy. Only who may manage the
// line may ask.
func (s *Service) TryProxy(ctx context.Context, a Actor, on Line, proxy string) error {
	l, connector, err := s.configured(ctx, a, on)
	if err != nil {
		return err
	}
	return s.tryProxy(ctx, connector, l.companyID, proxy)
}

// tryProxy has a connector try a proxy for a company, which the actor may have it do.
func (s *Service) tryProxy(ctx context.Context, connector Messenger, companyID int64, proxy string) error {
	if err := checkProxy(proxy); err != nil {
		return err
	}
	tester, can := connector.(ProxyTester)
	if !can {
		return nil
	}
	if wait := s.checks.spend(s.Now(), proxyPace, 1, "proxy", strconv.FormatInt(companyID, 10)); wait > 0 {
		return &Error{Code: CodeThrottled, Message: "the company had too many proxies tried", RetryAfter: seconds(wait)}
	}
	err := tester.TryProxy(ctx, proxy)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil { // what it says may be of our own network
		return Invalid("proxy", "does not lead to the messenger")
	}
	return nil
}
