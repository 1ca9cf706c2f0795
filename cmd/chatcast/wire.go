package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/bridge"
	"chatcast/crm/whatsapp"
	"chatcast/models"
	"chatcast/server"
	"chatcast/server/api"
	"chatcast/server/api/docs"
	"chatcast/server/console"
	"chatcast/server/pusher"
)

// rooms is everything that runs, wired. Rooms know only what they import; what
// they want of each other besides is glued here, at the end of the file.
type rooms struct {
	store      *models.Store
	rules      *crm.Service
	keys       *sql.DB // of WhatsApp's sessions, in the same database
	filesDone  func()  // lets go of the file store
	whatsapp   *whatsapp.Messenger
	relay      *broadcasting.Relay
	attendance *crm.Attendance
	engine     *broadcasting.Engine
	apps       *pusher.Apps
	origins    server.Origins
	sockets    *server.Server
	monitor    *server.Monitor
	router     *gin.Engine
	health     *health
}

// passwordCost is bcrypt's; 0 is its default. The tests lower it: with the race
// detector a single hash takes seconds.
var passwordCost int

// wire makes the rooms over an open store. publicURL is how the world reaches the
// program. Nothing runs yet.
func wire(ctx context.Context, cfg Config, store *models.Store, publicURL string, log *slog.Logger) (r *rooms, err error) {
	room := func(name string) *slog.Logger { return log.With("room", name) }
	r = &rooms{store: store}

	// broadcasting: an event goes in, frames come out
	r.engine = broadcasting.NewEngine(broadcasting.Options{Bus: &broadcasting.Memory{}})

	// crm: the rules, and the journal that they write and the relay reads; where
	// files lie; the messengers with accounts of their own
	files, filesDone, err := openFiles(ctx, cfg.Files)
	if err != nil {
		return nil, err
	}
	r.filesDone = filesDone
	if err := r.wireWhatsApp(ctx, cfg.WhatsApp, room("whatsapp")); err != nil {
		filesDone()
		return nil, err
	}
	made := r
	defer func() {
		if err != nil {
			err = errors.Join(err, made.close())
		}
	}()
	journal, sockets := crm.NewJournal(store), &live{engine: r.engine, app: cfg.Apps[0].ID, log: room("live")}
	r.rules = crm.New(crm.Options{
		Store: store, Journal: journal, Live: sockets, Log: room("crm"), PasswordCost: passwordCost,
		Files: files, MaxFile: int64(cfg.Files.MaxBytes), PublicURL: publicURL,
		SendWithin: time.Duration(cfg.WhatsApp.SendWithin), ColdPerDay: cfg.WhatsApp.ColdPerDay,
		Messengers: map[string]crm.Messenger{whatsapp.Type: r.whatsapp, "": bridge.Messenger{}},
	})
	r.whatsapp.Rules = r.rules
	r.relay = broadcasting.NewRelay(broadcasting.RelayOptions{
		Journal: journal, Publish: r.engine.Publish, App: cfg.Apps[0].ID, Log: room("relay"),
		Retention: time.Duration(cfg.Journal.Retention),
	})
	sockets.relay = r.relay
	r.attendance = crm.NewAttendance(r.rules)
	r.engine.Watch(r.attendance)

	// server: the sockets, the router, and what is spoken there
	if r.origins, err = server.ParseOrigins(cfg.Server.AllowedOrigins); err != nil {
		return nil, err
	}
	if r.apps, err = pusherApps(ctx, cfg, r.rules); err != nil {
		return nil, err
	}
	r.sockets = server.New(server.Options{
		Log: room("server"), QueueBytes: cfg.Limits.QueueBytes, MessageBytes: cfg.Limits.MessageBytes,
		ActivityTimeout: time.Duration(cfg.Limits.ActivityTimeout), PongTimeout: time.Duration(cfg.Limits.PongTimeout),
		PerAddress: cfg.Limits.SocketsPerAddress, DrainWindow: time.Duration(cfg.Server.DrainTime),
	})
	r.monitor = server.NewMonitor(func() server.Counters { return server.ReadCounters(r.sockets, r.engine, r.relay) })
	r.router, err = server.NewRouter(server.RouterOptions{Origins: r.origins, TrustedProxies: cfg.Server.TrustedProxies, Log: room("http")})
	if err != nil {
		return nil, err
	}
	r.health = &health{log: room("health"), checks: []healthCheck{
		{"database", store.Ping},
		{"relay", func(context.Context) error { return r.relay.Ready() }},
	}}
	built, err := console.Embedded()
	if err != nil {
		return nil, err
	}
	r.register(cfg, publicURL, built, room)
	return r, nil
}

// close lets go of what wire took.
func (r *rooms) close() error {
	r.filesDone()
	return r.keys.Close()
}

// wireWhatsApp makes the messenger of WhatsApp's lines. Those that nobody has
// paired yet are bridges.
func (r *rooms) wireWhatsApp(ctx context.Context, cfg WhatsAppConfig, log *slog.Logger) (err error) {
	var dialect string
	if r.keys, dialect, err = r.store.SideDB(ctx); err != nil {
		return err
	}
	r.whatsapp, err = whatsapp.New(ctx, whatsapp.Options{
		DB: r.keys, Dialect: dialect, Log: log, Endpoint: cfg.Endpoint, RootKey: cfg.RootKey, Unpaired: bridge.Messenger{},
		Alone:    true, // Program.New has locked the database
		Archives: cfg.Archive, SendDelay: time.Duration(cfg.SendDelay),
	})
	if err != nil {
		return errors.Join(err, r.keys.Close())
	}
	return nil
}

// register gives the router its routes, plug by plug.
func (r *rooms) register(cfg Config, publicURL string, built *console.Build, room func(name string) *slog.Logger) {
	dialect := pusher.New(pusher.Options{
		Apps: r.apps, Engine: r.engine, Sockets: r.sockets, Origins: r.origins, Log: room("pusher"),
		MessagesPerSecond: cfg.Limits.MessagesPerSecond, MessageBurst: cfg.Limits.MessagesBurst,
	})
	backends := &pusher.HTTPAPI{Apps: r.apps, Engine: r.engine, Log: room("pusher")}
	doorman := &pusher.Authorizer{
		App: r.apps.First(), Users: people{r.rules}, People: people{r.rules}, Policy: channels.Policy{Access: r.rules},
		Grants: r.engine, Log: room("pusher"),
	}
	crmAPI := &api.API{CRM: r.rules, Log: room("api"), Node: api.Node{
		Monitor: r.monitor, Hub: r.engine, Version: version, Commit: commitID(), Started: time.Now(),
		Retention: time.Duration(cfg.Journal.Retention),
	}}
	first := cfg.Bootstrap
	page := &console.Console{
		Build: built, NotFound: crmAPI.NoRoute, Version: version, Commit: commitID(), AppKey: cfg.Apps[0].Key, PublicURL: cfg.Server.PublicURL,
		AppID: first.AppID, CompanyID: first.Company.ID, UserID: first.User.ID, LicenseID: first.License.ID, Messengers: first.License.Messengers,
	}

	dialect.Register(r.router)
	backends.Register(r.router)
	doorman.Register(r.router)
	crmAPI.Register(r.router)
	crmAPI.RegisterSchemas(r.router)
	(&docs.Docs{URL: publicURL}).Register(r.router)
	page.Register(r.router)
	r.health.register(r.router)
	r.router.NoMethod(crmAPI.NoMethod)
	r.router.NoRoute(func(c *gin.Context) {
		if !dialect.NotFound(c) {
			crmAPI.NoRoute(c)
		}
	})
}

// pusherApps are the configured apps, with the secrets that were generated for
// those that have none, and the common limits where they have none of their own.
func pusherApps(ctx context.Context, cfg Config, rules *crm.Service) (*pusher.Apps, error) {
	list := make([]pusher.App, len(cfg.Apps))
	for i, a := range cfg.Apps {
		value, err := appSecret(ctx, rules, a)
		if err != nil {
			return nil, err
		}
		own, common := a.Limits, cfg.Limits
		list[i] = pusher.App{
			ID: a.ID, Key: a.Key, Secret: value, Enabled: a.Enabled,
			AllowedOrigins: a.AllowedOrigins, ClientEvents: a.ClientEvents,
			Limits: pusher.Limits{
				Sockets:               cmp.Or(own.Sockets, common.SocketsPerApp),
				ChannelsPerSocket:     cmp.Or(own.ChannelsPerSocket, common.ChannelsPerSocket),
				ClientEventsPerSecond: cmp.Or(own.ClientEventsPerSecond, common.ClientEventsPerSecond),
				EventBytes:            cmp.Or(own.EventBytes, common.EventBytes),
				ChannelsPerEvent:      cmp.Or(own.ChannelsPerEvent, common.ChannelsPerEvent),
				PresenceMembers:       cmp.Or(own.PresenceMembers, common.PresenceMembers),
				PresenceUserBytes:     cmp.Or(own.PresenceUserBytes, common.PresenceUserBytes),
			},
		}
	}
	return pusher.NewApps(list)
}

// live is what the rules know of the sockets.
type live struct {
	engine *broadcasting.Engine
	relay  *broadcasting.Relay // set while wiring
	app    string              // that carries the rules' channels
	log    *slog.Logger
}

var _ crm.Live = (*live)(nil)

func (l *live) Wake() { l.relay.Wake() }

func (l *live) Evict(userID int64, names ...string) {
	l.engine.Evict(strconv.FormatInt(userID, 10), names...)
}

func (l *live) Disconnect(userID int64) { l.engine.Disconnect(strconv.FormatInt(userID, 10)) }

func (l *live) Publish(names []string, event, data string) {
	for _, name := range names {
		// A bus that cannot take it now loses it: the next one comes within seconds.
		if err := l.engine.Publish(context.Background(), broadcasting.Event{App: l.app, Channel: name, Name: event, Data: data}); err != nil {
			l.log.Warn("an event for the sockets alone was lost", "event", event, "error", err)
		}
	}
}

// people is what /broadcasting/auth knows of the users.
type people struct{ rules *crm.Service }

var (
	_ pusher.Authenticator = people{}
	_ pusher.UserInfo      = people{}
)

func (p people) Authenticate(ctx context.Context, accessToken string) (int64, error) {
	actor, err := p.rules.Authenticate(ctx, accessToken)
	var e *crm.Error
	if errors.As(err, &e) && (e.Code == crm.CodeBadToken || e.Code == crm.CodeNoToken) {
		return 0, pusher.ErrUnknownToken
	}
	return actor.UserID, err
}

func (p people) UserInfo(ctx context.Context, userID int64) (string, error) {
	me, err := p.rules.Me(ctx, crm.Actor{UserID: userID})
	if err != nil {
		return "", err
	}
	return me.Name, nil
}
