package crm

import "context"

// ProxyTester is a Messenger that can try proxies.
type ProxyTester interface {
	Messenger
	// TryProxy reaches the messenger through the proxy with this URL.
	TryProxy(ctx context.Context, proxy string) error
}

// TryProxy checks that the messenger of a line is reached through a proxy. Only who may manage the
// line may ask.
func (s *Service) TryProxy(ctx context.Context, a Actor, on Line, proxy string) error {
	_, connector, err := s.configured(ctx, a, on)
	if err != nil {
		return err
	}
	return tryProxy(ctx, connector, proxy)
}

func tryProxy(ctx context.Context, connector Messenger, proxy string) error {
	if err := checkProxy(proxy); err != nil {
		return err
	}
	tester, can := connector.(ProxyTester)
	if !can {
		return nil
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
