package app

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/channels"
	"chatcast/channels/clientaddr"
	"chatcast/crm"
	"chatcast/server/evolution/shape"
	"chatcast/server/socketio"
)

// instanceRooms are the namespaces of Socket.IO: one for each instance, and the main one.
type instanceRooms struct {
	rules   *crm.Service
	router  http.Handler       // serves what clients send
	url     string             // under which clients reach the server
	global  bool               // the main namespace has the events of all instances
	keyless clientaddr.Proxies // networks whose clients need no key
	origins apps.Origins       // of browsers
	log     *slog.Logger
}

var _ socketio.Rooms = (*instanceRooms)(nil)

// CheckKey implements socketio.Rooms.
func (r *instanceRooms) CheckKey(ctx context.Context, key string) (int64, error) {
	a, _, err := r.authenticate(ctx, key)
	return a.UserID, err
}

func (r *instanceRooms) authenticate(ctx context.Context, text string) (crm.Actor, *crm.KeyData, error) {
	a, key, err := r.rules.AuthenticateKey(ctx, text)
	if ofRules(err, crm.CodeBadToken) || ofRules(err, crm.CodeNoToken) {
		err = socketio.ErrInvalidKey
	}
	return a, key, err
}

// ofRules reports whether err is an error of the rules with this code.
func ofRules(err error, code crm.Code) bool {
	var e *crm.Error
	return errors.As(err, &e) && e.Code == code
}

// Enter implements socketio.Rooms.
func (r *instanceRooms) Enter(ctx context.Context, q socketio.Request) (*socketio.Entry, error) {
	name := strings.TrimPrefix(q.Namespace, "/")
	if q.Key == "" {
		return r.enterKeyless(q, name)
	}
	a, key, err := r.authenticate(ctx, q.Key)
	if err != nil {
		return nil, err
	}
	entry := &socketio.Entry{UserID: a.UserID, Encoder: instanceEvents{r.rules.InstanceDirectory(), r.url, name == "", r.log}}
	if name == "" {
		r.enterMain(entry, key)
		entry.Confirm = func(ctx context.Context) error {
			_, err := r.CheckKey(ctx, q.Key)
			return err
		}
		return entry, nil
	}
	i, err := r.instance(ctx, a, name)
	if err != nil {
		return nil, err
	}
	if key.Has(crm.KeyRead) {
		entry.Channel = channels.LineName(i.Line.LicenseID, i.Line.Messenger)
	}
	if key.Has(crm.KeyManage) { // whoever has the codes can take the line over
		entry.Live = []string{channels.PairingName(i.Line.LicenseID, i.Line.Messenger)}
	}
	entry.On = r.actions(i.ID, name, q)
	entry.Confirm = func(ctx context.Context) error { return r.confirm(ctx, q.Key, name) }
	return entry, nil
}

// confirm checks the key and the instance once more.
func (r *instanceRooms) confirm(ctx context.Context, text, name string) error {
	a, _, err := r.authenticate(ctx, text)
	if err != nil {
		return err
	}
	_, err = r.instance(ctx, a, name)
	return err
}

// instance returns an instance that the actor may use. As for the routes, only lines of
// WhatsApp are instances. Afterwards the directory knows the instance as it is now: another
// node may have just made it, and its first events would be none.
func (r *instanceRooms) instance(ctx context.Context, a crm.Actor, name string) (*crm.Instance, error) {
	i, err := r.rules.Instance(ctx, a, name)
	if ofRules(err, crm.CodeNotFound) || err == nil && !crm.IsWhatsApp(i.Line.Messenger) {
		err = socketio.ErrInvalidNamespace
	}
	if err != nil {
		return nil, err
	}
	if v, known := r.rules.InstanceDirectory().ByID(i.ID); !known || !v.UpdatedAt.Equal(i.UpdatedAt) {
		err = r.rules.LoadInstances(ctx)
	}
	return i, err
}

// enterMain chooses the events of the main namespace. Many clients enter it before their
// own, so without evolution.global_events it is there and silent.
func (r *instanceRooms) enterMain(entry *socketio.Entry, key *crm.KeyData) {
	if !r.global || !key.Has(crm.KeyRead) {
		return
	}
	switch {
	case key.LicenseID == 0: // one channel for all lines, so that there is one place to go on from
		entry.Channel = channels.CompanyLinesName(key.CompanyID)
	case crm.IsWhatsApp(key.Messenger):
		entry.Channel = channels.LineName(key.LicenseID, key.Messenger)
	}
}

// enterKeyless lets a client without a key into an instance, if the network of the
// connection's other end is listed. Behind a proxy everybody would come from there, and so
// do the pages of any site that somebody looks at in a browser there.
func (r *instanceRooms) enterKeyless(q socketio.Request, name string) (*socketio.Entry, error) {
	if !q.Peer.IsValid() || q.Forwarded || !r.keyless.Contains(q.Peer) || !r.meansUs(q.Host) {
		return nil, socketio.ErrNoKey
	}
	if q.Origin != "" && (r.origins.Any() || !r.origins.Allow(q.Origin)) {
		return nil, socketio.ErrNoKey
	}
	if name == "" {
		return &socketio.Entry{}, nil
	}
	dir := r.rules.InstanceDirectory()
	named := dir.Named(name)
	if len(named) != 1 || !crm.IsWhatsApp(named[0].Line.Messenger) { // of several companies: it cannot be known which one is meant
		return nil, socketio.ErrInvalidNamespace
	}
	return &socketio.Entry{
		Channel: channels.LineName(named[0].Line.LicenseID, named[0].Line.Messenger), Encoder: instanceEvents{dir, r.url, false, r.log}, On: r.actions(named[0].ID, name, q),
	}, nil
}

// meansUs reports whether a host is an address or a name of this server. The name of a site may
// lead to any address, and for a browser its pages are then of one origin with this server.
func (r *instanceRooms) meansUs(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	u, err := url.Parse(r.url)
	return strings.EqualFold(name, "localhost") || err == nil && name != "" && strings.EqualFold(name, u.Hostname())
}

// lineOf returns the line of an event: that of the channel or, in the channel of all lines of
// a company, the one that the event names.
func lineOf(ev broadcasting.Event) (line crm.Line, ok bool) {
	name, err := channels.Parse(ev.Channel)
	if err != nil {
		return line, false
	}
	room := name.Room()
	if room.Family != channels.CompanyLines {
		return crm.Line{LicenseID: room.LicenseID, Messenger: room.Messenger}, true
	}
	var said struct {
		Payload struct {
			Meta struct {
				LicenseID     int64  `json:"licenseId"`
				MessengerType string `json:"messengerType"`
			} `json:"meta"`
		} `json:"payload"`
	}
	if json.Unmarshal([]byte(ev.Data), &said) != nil {
		return line, false
	}
	meta := said.Payload.Meta
	return crm.Line{LicenseID: meta.LicenseID, Messenger: meta.MessengerType}, meta.LicenseID != 0
}

// instanceEvents renders the events of lines in the words of their instances.
type instanceEvents struct {
	directory *crm.InstanceDirectory
	url       string
	all       bool // whatever the instances want
	log       *slog.Logger
}

// ofTags returns the line as whose event an event of a company's tags is in the channel of all its
// lines. They are the labels of each line, so it comes once, as that of the first one of WhatsApp.
func (e instanceEvents) ofTags(ev broadcasting.Event) (line crm.Line, ok bool) {
	name, err := channels.Parse(ev.Channel)
	if err != nil || ev.Name != crm.EventCompanyTag {
		return line, false
	}
	var first string
	for _, v := range e.directory.OfCompany(name.Room().CompanyID) {
		if crm.IsWhatsApp(v.Line.Messenger) && (!ok || v.Name < first) {
			line, first, ok = v.Line, v.Name, true
		}
	}
	return line, ok
}

// Emits implements socketio.Encoder. It takes no lock: the directory has none.
func (e instanceEvents) Emits(ev broadcasting.Event) []socketio.Emit {
	line, ok := lineOf(ev)
	if !ok {
		line, ok = e.ofTags(ev)
	}
	if !ok {
		return nil
	}
	v, known := e.directory.OfEvents(line)
	if !known || !e.all && !v.Websocket.Enabled || !crm.IsWhatsApp(line.Messenger) {
		return nil
	}
	in := shape.Instance{ID: v.ID, Name: v.Name, Phone: v.Phone, ProfileName: v.ProfileName, ServerURL: e.url, GroupsIgnore: v.GroupsIgnore}
	if !e.all {
		var err error
		if in.Events, err = shape.ParseEvents(v.Websocket.Events); err != nil {
			return nil // the rules accept no such list
		}
	}
	at := time.Now()
	if ev.Mark != nil {
		at = time.UnixMicro(ev.Mark.Committed)
	}
	rendered, err := shape.Render(shape.Event{Name: ev.Name, Data: ev.Data, At: at}, in, shape.Shape(v.Shape))
	if err != nil { // the journal holds what the rules wrote
		e.log.Error("an event could not be put into the words of an instance", "event", ev.Name, "id", ev.Seq, "error", err)
	}
	emits := make([]socketio.Emit, len(rendered))
	for i, one := range rendered {
		emits[i] = socketio.Emit{Name: one.Name, Data: one.Data}
	}
	return emits
}
