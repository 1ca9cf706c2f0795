package whatsapp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	wasocket "go.mau.fi/whatsmeow/socket"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// Pairing without DNS or without a way to WhatsApp says so, to whoever asked for a code
// and in the line's status.
func TestPairingTellsWhyWhatsAppIsNotReached(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, c := range []struct{ name, endpoint, want string }{
		{"no DNS", strings.Repeat("x", 64) + ".invalid:443", "DNS does not know its name"}, // no name may have such a part, so no server is asked
		{"refused", closed.Addr().String(), "the connection was refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(o *Options) { o.Endpoint = c.endpoint })
			var failed error
			eventually(t, "Run does not start", func() bool {
				_, failed = w.m.Pair(testwait.Context(t), testLine, "")
				return failed != error(errNotRunning)
			})
			var e *crm.Error
			if !errors.As(failed, &e) || e.Code != crm.CodeUnavailable || !strings.Contains(e.Message, c.want) {
				t.Errorf("the answer is %v, want %q in it", failed, c.want)
			}
			if strings.Contains(e.Message, "127.0.0.1") {
				t.Errorf("the answer names an address: %v", failed)
			}
			if row := w.awaitState(t, crm.StateDisconnected); !strings.Contains(row.Detail, c.want) {
				t.Errorf("the line is %+v, want %q in its detail", row, c.want)
			}
		})
	}
}

// A server whose own certificate is out of time is told from one that cannot be reached.
func TestPairingTellsThatTheClockIsWrong(t *testing.T) {
	w := newWorld(t)
	long := time.Now().Add(-100 * time.Hour)
	if err := w.Certify(long, long.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	var failed error
	eventually(t, "Run does not start", func() bool {
		_, failed = w.m.Pair(testwait.Context(t), testLine, "")
		return failed != error(errNotRunning)
	})
	if failed == nil || !strings.Contains(failed.Error(), "check the clock") {
		t.Errorf("%v", failed)
	}
}

// A connection that nobody answers is not mistaken for a WhatsApp that gives no code.
func TestPairingWithoutAnAnswer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // it accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	w := newWorld(t, func(o *Options) {
		o.Endpoint, o.times = silent.Addr().String(), patient
		o.times.code = 100 * time.Millisecond
	})
	var failed error
	eventually(t, "Run does not start", func() bool {
		_, failed = w.m.Pair(testwait.Context(t), testLine, "")
		return failed != error(errNotRunning)
	})
	if failed != error(errNoConnectionYet) {
		t.Errorf("the answer is %v", failed)
	}
}

// A paired line that is not reached says why, too.
func TestLineTellsWhyWhatsAppIsNotReached(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.stop()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	w.start(t, func(o *Options) { o.Endpoint = closed.Addr().String() })
	if row := w.awaitState(t, crm.StateDisconnected); !strings.Contains(row.Detail, "the connection was refused") || !strings.Contains(row.Detail, "tried again") {
		t.Errorf("the line is %+v", row)
	}
}

// TestCauseOf has the errors that this machine cannot be made to give.
func TestCauseOf(t *testing.T) {
	dial := func(err error) error { return fmt.Errorf("failed to dial: %w", &net.OpError{Op: "dial", Err: err}) }
	for _, c := range []struct {
		err  error
		want string
	}{
		{dial(&net.DNSError{Err: "no such host", IsNotFound: true}), "DNS does not know"},
		{dial(&net.DNSError{Err: "i/o timeout", IsTimeout: true}), "no DNS server answered"},
		{dial(&net.DNSError{Err: "server misbehaving", IsTemporary: true}), "no DNS server answered"},
		{dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), "no network"},
		{dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), "no network"},
		{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "refused"},
		{dial(os.ErrDeadlineExceeded), "no answer in time"},
		{fmt.Errorf("dial: %w", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), "certificate"},
		{fmt.Errorf("dial: %w", wasocket.ErrWithStatusCode{StatusCode: 407}), "HTTP status 407"},
		{errCut, "before WhatsApp had greeted"},
	} {
		if got := notReached(c.err); !strings.Contains(got, c.want) {
			t.Errorf("%v is told as %q, want %q in it", c.err, got, c.want)
		}
	}
}
