package whatsapp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"syscall"

	wasocket "go.mau.fi/whatsmeow/socket"

	"chatcast/crm"
)

// errNoConnectionYet answers Pair when WhatsApp was not reached in time, and errNoCodeYet
// when it was.
var (
	errNoConnectionYet = crm.Unavailable("there is no connection to WhatsApp yet: a firewall may drop it, or the network is slow; try again")
	errNoCodeYet       = crm.Unavailable("WhatsApp has not given a code yet: try again")
)

// notReached tells people that and why WhatsApp was not reached.
func notReached(err error) string { return "WhatsApp was not reached: " + causeOf(err) + "." }

// certificateTime is whatsmeow's error for WhatsApp's own certificate, beside that of TLS.
var certificateTime = regexp.MustCompile(`certificate (expired|not valid yet) \(`)

// causeOf says in words for people why a connection to WhatsApp failed. It names no
// address of our own network, as the error may; that is in the log.
func causeOf(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var status wasocket.ErrWithStatusCode
	var timeout net.Error
	var through *proxyError
	switch {
	case errors.As(err, &through):
		return "the line's proxy: " + through.message
	case errors.As(err, &dns) && dns.IsNotFound:
		return "DNS does not know its name; check the DNS and the network of this server"
	case errors.As(err, &dns):
		return "no DNS server answered; check the DNS and the network of this server"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETDOWN):
		return "this server has no network, or no route to it"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused, perhaps by a firewall or a proxy"
	case errors.As(err, &certificate):
		return "its certificate is not trusted; a proxy may stand between, or this server lacks CA certificates or has a wrong clock"
	case errors.As(err, &status):
		return fmt.Sprintf("it answered with HTTP status %d; a proxy or a firewall may stand between", status.StatusCode)
	case certificateTime.MatchString(err.Error()):
		return "its certificate is not valid at the time of this server; check the clock"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "there was no answer in time; a firewall may drop the connection"
	}
	return "the connection failed before WhatsApp had greeted"
}
