package server

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"unicode/utf8"
)

// sendFactor times Options.MessageBytes is how large the body of a sending request
// may be: each byte of a message may be escaped, and there may be several.
const sendFactor = 8

var (
	errNoArray  = errors.New("the body must be a JSON array of strings")
	errNotUTF8  = errors.New("the body is not valid UTF-8")
	errNotThere = errors.New("there is no such session")
)

// Send takes the messages of a sending request to the session of this name, in
// their order, and answers: 204 when all were taken. The body of one for a session that
// is not there is not read. Requests that come side by
// side are handled one after the other, as they come. What the dialect thinks of a
// message is said in the session; an empty array is a sign of life.
func (s *Server) Send(w http.ResponseWriter, r *http.Request, name string) {
	hurryBody(w)
	if s.httpSessionNamed(name) == nil {
		refuseSend(w, http.StatusNotFound, errNotThere)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(sendFactor*s.opt.MessageBytes)))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		refuseSend(w, http.StatusRequestEntityTooLarge, errTooLarge)
		return
	case err != nil:
		refuseSend(w, http.StatusBadRequest, errors.New("the body could not be read"))
		return
	}
	messages, err := parseSend(body)
	if err != nil {
		refuseSend(w, http.StatusBadRequest, err)
		return
	}
	switch err := s.deliver(name, messages); {
	case errors.Is(err, errTooLarge):
		refuseSend(w, http.StatusRequestEntityTooLarge, err)
	case err != nil:
		refuseSend(w, http.StatusNotFound, err)
	default:
		w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
		w.WriteHeader(http.StatusNoContent)
	}
}

func refuseSend(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, err.Error(), status)
}

// parseSend reads the body of a sending request.
func parseSend(body []byte) ([]string, error) {
	if !utf8.Valid(body) {
		return nil, errNotUTF8
	}
	var list []*string
	if json.Unmarshal(body, &list) != nil || list == nil {
		return nil, errNoArray
	}
	messages := make([]string, len(list))
	for i, m := range list {
		if m == nil {
			return nil, errNoArray
		}
		messages[i] = *m
	}
	return messages, nil
}

// deliver hands messages to the dialect. A message over the limit ends the session
// as it ends a WebSocket: a client that was not told would wait for its effect.
func (s *Server) deliver(name string, messages []string) error {
	hs := s.httpSessionNamed(name)
	if hs == nil {
		return errNotThere
	}
	hs.in.Lock()
	defer hs.in.Unlock()
	h, open := hs.taking()
	if !open {
		return errNotThere
	}
	hs.heard()
	if len(messages) == 0 {
		hs.alive()
	}
	for _, m := range messages {
		if len(m) > s.opt.MessageBytes {
			hs.Close(hs.disconnectFor(TooLarge))
			return errTooLarge
		}
		if hs.trace {
			hs.traced("frame in", []byte(m))
		}
		s.handle(hs, h, []byte(m))
		if _, open := hs.taking(); !open {
			break // what follows a goodbye is read and forgotten
		}
	}
	return nil
}

// httpSessionNamed finds a session, nil when there is none.
func (s *Server) httpSessionNamed(name string) *HTTPSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.httpSessions[name]
}

// taking returns the dialect, and whether messages are handed to it.
func (hs *HTTPSession) taking() (Handler, bool) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	return hs.h, hs.h != nil && !hs.out.closing
}
