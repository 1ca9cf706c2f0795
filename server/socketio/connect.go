package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/channels/refusals"
	"chatcast/server"
)

// pathPrefix stands before the names of namespaces for clients of a host that has its API
// under it.
const pathPrefix = "/whatsapp"

// eventResumeFailed tells a client that has named the last event that it knows, and cannot
// recover its connection, that what came after that is no longer kept.
const eventResumeFailed = "chatcast:resume_failed"

// maxRefused is how many namespaces Rooms may refuse one connection.
const maxRefused = 100

// connect handles a CONNECT.
func (k *sockets) connect(p packet) {
	if k.find(p.namespace) != nil {
		k.c.close(server.ProtocolError)
		return
	}
	k.endLost()
	srv, prefix := k.c.srv, prefixOf(p.namespace)
	living, done := k.begin()
	defer done()
	ctx, cancel := context.WithTimeout(living, srv.opt.AskTimeout)
	defer cancel()
	if k.namespaces() >= srv.opt.Namespaces {
		k.notEntered(ctx, prefix, errTooManyNamespaces)
		return
	}
	r, e, err := k.enter(ctx, p)
	if err != nil {
		k.notEntered(ctx, prefix, err)
		return
	}
	if !srv.enter(e.UserID) {
		srv.counters.refused(string(keyFull))
		k.c.close(keyFull) // it may come back when others have left
		return
	}
	if err := k.join(ctx, r, e, p.namespace); err != nil {
		k.notEntered(ctx, prefix, err)
	}
}

// enter asks Rooms. Clients may send the names of namespaces encoded as in URLs, or not.
func (k *sockets) enter(ctx context.Context, p packet) (r Request, e *Entry, err error) {
	hi := k.c.hello
	r = Request{Key: hi.key, Auth: p.auth, Peer: hi.peer, Forwarded: hi.forwarded, Remote: hi.remote, Host: hi.host, Origin: hi.origin}
	if key := keyOf(p.auth); key != "" {
		r.Key = key
	}
	name := p.namespace
	if rest, ok := strings.CutPrefix(name, pathPrefix+"/"); ok {
		name = "/" + rest
	}
	r.Namespace = name
	if decoded, err := url.PathUnescape(name); err == nil {
		r.Namespace = decoded
	}
	e, err = k.c.srv.opt.Rooms.Enter(ctx, r)
	if errors.Is(err, ErrInvalidNamespace) && name != r.Namespace {
		r.Namespace = name
		e, err = k.c.srv.opt.Rooms.Enter(ctx, r)
	}
	if err == nil && e.Encoder != nil && !reflect.TypeOf(e.Encoder).Comparable() {
		err = fmt.Errorf("socketio: an Encoder of the type %T cannot be compared", e.Encoder)
	}
	return r, e, err
}

// keyOf returns the key in the payload of a CONNECT; "": there is none.
func keyOf(auth json.RawMessage) string {
	var members map[string]json.RawMessage
	if len(auth) == 0 || json.Unmarshal(auth, &members) != nil {
		return ""
	}
	for _, name := range [...]string{"apikey", "apiKey", "token"} {
		var key string
		if json.Unmarshal(members[name], &key) == nil && key != "" {
			return key
		}
	}
	return ""
}

// notEntered tells the client that it may not enter. What may heal is not told: the client
// would not come back.
func (k *sockets) notEntered(ctx context.Context, prefix string, err error) {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		k.c.srv.counters.refused(refusal.Message)
		switch refusal.Message {
		case ErrNoKey.Message:
			k.refusedKey(ctx, refusals.NoToken)
		case ErrInvalidKey.Message:
			k.refusedKey(ctx, refusals.BadToken)
		}
		k.c.out.Queue(refusedFrame(prefix, refusal))
		if refusal == errTooManyNamespaces {
			return
		}
		if k.refused++; k.refused >= maxRefused { // each costs a look at the database
			k.c.close(server.Flood)
		}
		return
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return // the client has gone
	}
	k.c.srv.unavailable(ctx, "a namespace", err)
	k.c.close(unavailable)
}

func (k *sockets) refusedKey(ctx context.Context, reason refusals.Reason) {
	k.c.srv.opt.Refusals.Add(ctx, refusals.Connection, reason, "socket", k.c.id, "address", k.c.hello.remote)
}

// unavailable logs that Rooms or History could not answer.
func (s *Server) unavailable(ctx context.Context, what string, err error) {
	s.counters.refused(string(unavailable))
	s.faults.Error(ctx, s.opt.Log, "a client of Socket.IO was sent away, because it cannot be known what it may do", "asked", what, "error", err)
}

// join lets the client into a namespace. The client is told before it gets an event.
func (k *sockets) join(ctx context.Context, r Request, e *Entry, name string) error {
	srv := k.c.srv
	begin, err := srv.start(ctx, r, e, k.c.hello.lastEventID)
	n := newNamespace(k, name, e)
	var names []channels.Name
	if err == nil {
		names, err = n.attach(ctx, e, begin)
	}
	kept := len(names) - len(e.Live) // channels of events that are in the journal
	first := names                   // whose events come from the answer on, else what came before it, too
	if err == nil && begin.resume {
		first = names[kept:]
	}
	if err == nil {
		err = n.subscribe(ctx, first, len(names), start{})
	}
	if err != nil {
		n.end()
		return err
	}
	k.add(n)
	n.answer(connectedFrame(n.prefix, begin.sid, begin.pid))
	if begin.recovered {
		srv.counters.recovered()
	}
	if begin.lost {
		n.socket.Emit(eventResumeFailed, Args{})
	}
	if e.Joined != nil {
		e.Joined(&n.socket)
	}
	if !begin.resume {
		return nil
	}
	return n.subscribe(ctx, names[:kept], len(names), begin)
}

// subscribe lets events of channels come. most is the limit of channels of the namespace.
func (n *namespace) subscribe(ctx context.Context, list []channels.Name, most int, begin start) error {
	for _, name := range list {
		err := n.conn.Subscribe(ctx, broadcasting.SubscribeRequest{
			Name: name, NeedsGrant: n.userID != 0, MaxChannels: most,
			Resume: begin.resume, After: begin.place.after(), Begin: begin.begins,
		})
		if err := n.subscribed(err); err != nil {
			return err
		}
	}
	return nil
}

// subscribed handles the error of a subscription, nil if there was none.
func (n *namespace) subscribed(err error) error {
	switch {
	case err == nil, errors.Is(err, broadcasting.ErrClosed): // the access has ended, and the client was told
		return nil
	case errors.Is(err, broadcasting.ErrRevoked), errors.Is(err, broadcasting.ErrNotGranted):
		n.lose()
		return nil
	}
	return err
}
