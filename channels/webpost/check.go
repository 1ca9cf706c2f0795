package webpost

import (
	"context"
	"net"
	"net/url"

	"chatcast/channels/dialguard"
)

// Check returns an Error with ReasonPrivate when a URL leads only to addresses that are not
// public. It connects to nobody. A name that cannot be resolved now may be later, and is good.
func Check(ctx context.Context, text string) *Error {
	u, err := url.Parse(text)
	if err != nil {
		return &Error{ReasonName, "the URL cannot be read"}
	}
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname()) // of an address it is that
	if err != nil {
		return nil
	}
	for _, address := range addresses {
		if dialguard.Public(address) {
			return nil
		}
	}
	return &Error{ReasonPrivate, PrivateTarget}
}
