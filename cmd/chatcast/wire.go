package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/bridge"
	"chatcast/models"
	"chatcast/server"
	"chatcast/server/api"
	"chatcast/server/console"
	"chatcast/server/pusher"
)

// rooms is everything that runs, wired. Rooms know only what they import; what
// they want of each other besides is glued here, at the end of the file.
type rooms struct {
	store      *models.Store
	rules      *crm.Service
	relay      *broadcasting.Relay
	attendance *crm.Attendance
	engine     *broadcasting.Engine
	sockets    *server.Server
	health     *health
	router     *gin.Engine
	apps       *pusher.Apps
}

// passwordCost is bcrypt's; 0 is its default. The tests lower it: with the race
// detector a single hash takes seconds.
var passwordCost int

// wire makes the rooms over an open store. publicURL is how the world reaches the
// program. Nothing runs yet.
func wire(ctx context.Context, cfg Config, store *models.Store, publicURL string, log *slog.Logger) (*rooms, error) {
	room := func(name string) *slog.Logger { return log.With("room", name) }

	// broadcasting: an event goes in, frames come out
	engine := broadcasting.NewEngine(broadcasting.Options{Bus: &broadcasting.Memory{}})

	// crm: the rules, and the journal that they write and the relay reads
	journal := crm.NewJournal(store)
	sockets := &live{engine: engine}
	rules := crm.New(crm.Options{
		Store: store, Journal: journal, Live: sockets, Log: room("crm"), FilesDir: cfg.Files.Dir,
		MaxFile: int64(cfg.Files.MaxBytes), PublicURL: publicURL,
		Messengers: map[string]crm.Messenger{"": bridge.Messenger{}}, PasswordCost: passwordCost,
	})
	relay := broadcasting.NewRelay(broadcasting.RelayOptions{
		Journal: journal, Publish: engine.Publish, App: cfg.Apps[0].ID, Log: room("relay"),
		Retention: time.Duration(cfg.Journal.Retention),
	})
	sockets.relay = relay
	attendance := crm.NewAttendance(rules)
	engine.Watch(attendance)

	// server: the sockets, and the languages spoken on them
	origins, err := server.ParseOrigins(cfg.Server.AllowedOrigins)
	if err != nil {
		return nil, err
	}
	apps, err := pusherApps(ctx, cfg, rules)
	if err != nil {
		return nil, err
	}
	srv := server.New(server.Options{
		Log: room("server"), QueueBytes: cfg.Limits.QueueBytes, MessageBytes: cfg.Limits.MessageBytes,
		ActivityTimeout: time.Duration(cfg.Limits.ActivityTimeout), PongTimeout: time.Duration(cfg.Limits.PongTimeout),
		PerAddress: cfg.Limits.SocketsPerAddress, DrainWindow: time.Duration(cfg.Server.DrainTime),
	})
	router, err := server.NewRouter(server.RouterOptions{Origins: origins, TrustedProxies: cfg.Server.TrustedProxies, Log: room("http")})
	if err != nil {
		return nil, err
	}
	dialect := pusher.New(pusher.Options{
		Apps: apps, Engine: engine, Sockets: srv, Origins: origins, Log: room("pusher"),
		MessagesPerSecond: cfg.Limits.MessagesPerSecond, MessageBurst: cfg.Limits.MessagesBurst,
	})
	dialect.Register(router)
	(&pusher.HTTPAPI{Apps: apps, Engine: engine, Log: room("pusher")}).Register(router)
	(&pusher.Authorizer{
		App: apps.First(), Users: people{rules}, People: people{rules}, Policy: channels.Policy{Access: rules},
		Grants: engine, Log: room("pusher"),
	}).Register(router)
	crmAPI := &api.API{CRM: rules, Log: room("api")}
	crmAPI.Register(router)
	crmAPI.RegisterSchemas(router)
	(&console.Console{
		Version: version, AppKey: cfg.Apps[0].Key, Email: cfg.Bootstrap.User.Email, AppID: cfg.Bootstrap.AppID,
		CompanyID: cfg.Bootstrap.Company.ID, UserID: cfg.Bootstrap.User.ID,
		LicenseID: cfg.Bootstrap.License.ID, Messengers: cfg.Bootstrap.License.Messengers,
	}).Register(router)
	alive := &health{log: room("health"), checks: []healthCheck{
		{"database", store.Ping},
		{"relay", func(context.Context) error { return relay.Ready() }},
	}}
	alive.register(router)
	router.NoRoute(func(c *gin.Context) {
		if !dialect.NotFound(c) {
			crmAPI.NoRoute(c)
		}
	})
	router.NoMethod(crmAPI.NoMethod)
	return &rooms{store, rules, relay, attendance, engine, srv, alive, router, apps}, nil
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
}

var _ crm.Live = (*live)(nil)

func (l *live) Wake() { l.relay.Wake() }

func (l *live) Evict(userID int64, names ...string) {
	l.engine.Evict(strconv.FormatInt(userID, 10), names...)
}

func (l *live) Disconnect(userID int64) { l.engine.Disconnect(strconv.FormatInt(userID, 10)) }

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
