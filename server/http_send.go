package server

import (
	"errors"
	"io"
	"net/http"
	"unicode/utf8"
)

var errNotUTF8 = errors.New("the body is not valid UTF-8")

// Send hands the messages of a sending request, in order, to the session with this
// name. It answers with HTTPCodec.Accept when all of them were handled. For an unknown
// session the body is not read. Concurrent requests are handled one after the other, in
// order of arrival, unless HTTPRules.Strict is set. A request waits when the handler is
// a Pacer; when more than Options.QueueBytes wait, the session ends as Flood. The dialect
// reports what it thinks of a message in the session, not in the response.
func (h *HTTPSessions) Send(w http.ResponseWriter, r *http.Request, name string) {
	BoundBody(w, r)
	if err := h.send(w, r, name); err != nil {
		h.refuse(w, err)
		return
	}
	h.codec.Accept(w)
}

func (h *HTTPSessions) refuse(w http.ResponseWriter, err error) {
	w.Header().Set("Cache-Control", "no-store")
	h.codec.Refuse(w, err)
}

func (h *HTTPSessions) send(w http.ResponseWriter, r *http.Request, name string) error {
	hs := h.named(name)
	if hs == nil {
		return ErrNoSession
	}
	if h.rules.Strict {
		if !hs.sending.CompareAndSwap(false, true) {
			hs.closeFor(ErrBusy)
			return ErrBusy
		}
		defer hs.sending.Store(false)
	}
	sent, err := h.decode(w, r)
	if err != nil {
		if h.rules.Strict {
			hs.closeFor(err)
		}
		return err
	}
	return hs.deliver(sent)
}

// decode reads the body of a sending request.
func (h *HTTPSessions) decode(w http.ResponseWriter, r *http.Request) (Sent, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(h.sizes().BodyBytes)))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return Sent{}, ErrTooLarge
	case err != nil:
		return Sent{}, errors.New("the body could not be read")
	case !utf8.Valid(body):
		return Sent{}, errNotUTF8
	}
	return h.codec.Decode(body)
}

// deliver hands messages to the dialect. A message over the limit ends the session, as
// it ends a WebSocket: otherwise the client would wait for the effect of the message.
func (hs *HTTPSession) deliver(sent Sent) error {
	size := requestBytes
	for _, m := range sent.Messages {
		size += len(m) + messageBytes
	}
	if !hs.enqueue(size) {
		hs.Close(hs.disconnectFor(Flood))
		return ErrNoSession
	}
	defer hs.dequeue(size)
	hs.in.take()
	defer hs.in.give()
	h, open := hs.taking()
	if !open {
		return ErrNoSession
	}
	hs.heard()
	if sent.Alive {
		hs.alive()
	}
	most := hs.of.sizes().MessageBytes
	for _, m := range sent.Messages {
		if len(m) > most {
			hs.Close(hs.disconnectFor(TooLarge))
			return ErrTooLarge
		}
		if hs.trace {
			hs.traced("frame in", m)
		}
		hs.srv.handle(hs, h, m)
		hs.pace(h)
		if _, open := hs.taking(); !open {
			break // messages after the close are dropped
		}
	}
	if hs.heldSince > 0 {
		hs.stay()
	}
	return nil
}

// stay lets the absence of the client begin now: while its sending requests waited, it
// may have had no connection left for a receiving one.
func (hs *HTTPSession) stay() {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.left = hs.srv.now()
}

// requestBytes is what a waiting request costs besides its messages.
const requestBytes = 512

// messageBytes is what a waiting message costs besides its text.
const messageBytes = 32

// enqueue counts a sending request, and reports whether it may wait. One alone always
// may.
func (hs *HTTPSession) enqueue(size int) bool {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.waiting > 0 && hs.waiting+size > hs.srv.limits().QueueBytes {
		return false
	}
	hs.waiting += size
	return true
}

// dequeue undoes enqueue.
func (hs *HTTPSession) dequeue(size int) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.waiting -= size
}

// taking returns the dialect, and whether it still gets messages.
func (hs *HTTPSession) taking() (Handler, bool) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	return hs.h, hs.h != nil && !hs.out.closing
}
