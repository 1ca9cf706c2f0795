package app

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/cluster"
	"chatcast/broadcasting/history"
	"chatcast/broadcasting/webhook"
	"chatcast/channels"
	"chatcast/channels/clientaddr"
	"chatcast/channels/refusals"
	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
	"chatcast/crm/bridge"
	callbacks "chatcast/crm/webhook"
	"chatcast/crm/whatsapp"
	"chatcast/models"
	"chatcast/server"
	"chatcast/server/api"
	"chatcast/server/api/docs"
	"chatcast/server/console"
	"chatcast/server/evolution"
	"chatcast/server/multiwa"
	"chatcast/server/pusher"
	"chatcast/server/socketio"
)

// components holds everything that runs, wired. Rooms know only what they import; the
// files wire_… connect those that need each other besides.
type components struct {
	log       *slog.Logger // logs changes of apps
	store     *models.Store
	rules     *crm.Service
	keys      *sql.DB // of WhatsApp's sessions, in the same database
	filesDone func()  // releases the file store
	whatsapp  *whatsapp.Messenger
	relay     *broadcasting.Relay
	online    *crm.OnlineTracker
	engine    *broadcasting.Engine
	cache     cacheLimits        // of what connects the engine
	nodes     *cluster.Node      // connects the engine to other nodes; nil: it is alone
	tail      *broadcasting.Tail // nil as well: the relay publishes
	waker     *waker             // nil as well
	history   *history.Keeper
	watcher   *apps.Watcher // watches all apps; the field apps serves them
	served    []apps.App    // set by wireApps
	hooks     *webhook.Hooks
	callbacks *callbacks.Hooks
	apps      *pusher.Apps
	origins   apps.Origins
	reorigin  func(apps.Origins) // replaces origins
	dialect   *pusher.Server
	instances *socketio.Server
	sockets   *server.Server
	streams   *api.EventStreams
	monitor   *server.Monitor
	refusals  *refusals.Log
	router    *gin.Engine
	health    *health
	handover  handover // set by New, and by the wiring of other nodes
	measures  *measures
	tracing   *tracing
}

// wire makes the components on an open store. publicURL is the program's public
// address. Nothing runs yet.
func wire(ctx context.Context, cfg config.Config, o Options, store *models.Store, publicURL string) (r *components, err error) {
	logFor := func(name string) *slog.Logger { return o.Log.With("component", name) }
	r = &components{store: store, log: logFor("apps"), refusals: refusals.New(logFor("refusals")), measures: newMeasures()}

	// broadcasting: an event goes in, frames come out
	if err := r.wireEngine(ctx, cfg, logFor("bus")); err != nil {
		return nil, err
	}
	made := r
	defer func() {
		if err != nil {
			err = errors.Join(err, made.close())
		}
	}()

	// crm: the rules, the journal that they write and the relay reads, the file store,
	// and the messengers with accounts of their own
	files, filesDone, err := openFiles(ctx, cfg.Files)
	if err != nil {
		return nil, err
	}
	r.filesDone = filesDone
	if err := r.wireWhatsApp(ctx, cfg, logFor("whatsapp")); err != nil {
		return nil, err
	}
	r.tracing = newTracing(cfg.Tracing, o.Version, logFor("tracing"))
	journal := crm.NewJournal(store)
	r.wireRelay(cfg, journal, logFor("relay"))
	r.callbacks = callbacks.New(callbacks.Options{
		Log: logFor("callbacks"), AllowPrivate: cfg.Webhooks.AllowPrivateTargets, SuspendAfter: time.Duration(cfg.Webhooks.SuspendAfter),
		Retention: time.Duration(cfg.Journal.Retention), Alone: !cfg.Bus.Cluster(), // New has locked the database
	})
	r.rules = crm.New(crm.Options{
		Callbacks: r.callbacks, AppWebhooks: appWebhooks{r},
		Tracer: r.tracing.ofRules(),
		Store:  store, Nodes: cfg.Bus.Cluster(), Journal: journal, Live: &live{engine: r.engine, relay: r.relay, waker: r.waker, app: cfg.Apps[0].ID, log: logFor("live")}, Log: logFor("crm"), PasswordCost: o.PasswordCost,
		Files: files, MaxFile: int64(cfg.Files.MaxBytes), PublicURL: publicURL,
		SendWithin: time.Duration(cfg.WhatsApp.SendWithin), FirstContactsPerDay: cfg.WhatsApp.FirstContactsPerDay, ChecksPerDay: cfg.WhatsApp.ChecksPerDay,
		Messengers: map[string]crm.Messenger{whatsapp.Type: r.whatsapp, "": bridge.Messenger{}},
		ConfigApps: cfg.Apps, AuditRetention: time.Duration(cfg.Audit.Retention), Refusals: r.refusals,
		DefaultShape: cfg.Evolution.Shape, ExposeTokens: cfg.Evolution.ExposeTokens,
	})
	r.whatsapp.Serve(r.rules)
	r.callbacks.Formats = map[string]crm.CallbackFormat{ // before Run
		crm.FormatEvolution: evolution.NewWebhooks(evolution.WebhookOptions{
			Rules: r.rules, Instances: r.rules.InstanceDirectory(), PublicURL: publicURL, Shape: cfg.Evolution.Shape,
			Base64Max: int64(cfg.Evolution.WebhookBase64Max), BlockMax: time.Duration(cfg.Evolution.WebhookBlockMax),
		}),
		crm.FormatMultiWA: multiwa.Hooks{Lines: profiles{r.rules.InstanceDirectory()}},
	}
	r.callbacks.Serve(r.rules)
	r.online = crm.NewOnlineTracker(r.rules)
	r.engine.Watch(r.online)
	r.online.Share(r.engine)
	r.engine.OnShared(r.online.Elsewhere)
	r.engine.SetHistory(crm.History{Service: r.rules}, logFor("resume"))
	if err := r.wireHistory(ctx, cfg, journal, logFor("history")); err != nil {
		return nil, err
	}

	// server: the sockets, the router, and the protocols on them
	origins, err := apps.ParseOrigins(cfg.Server.AllowedOrigins)
	if err != nil {
		return nil, err
	}
	r.origins, r.reorigin = origins.Changeable()
	if err := r.wireApps(ctx, cfg, logFor("apps")); err != nil {
		return nil, err
	}
	if err := r.wireWebhooks(ctx, cfg, logFor("webhook")); err != nil {
		return nil, err
	}
	proxies, err := clientaddr.ParseProxies(cfg.Server.TrustedProxies)
	if err != nil {
		return nil, err
	}
	r.sockets = server.New(server.Options{
		Log: logFor("server"), QueueBytes: cfg.Limits.QueueBytes, MessageBytes: cfg.Limits.MessageBytes,
		ActivityTimeout: time.Duration(cfg.Limits.ActivityTimeout), PongTimeout: time.Duration(cfg.Limits.PongTimeout),
		PerAddress: cfg.Limits.SocketsPerAddress, Proxies: proxies, DrainWindow: time.Duration(cfg.Server.DrainTime), Successor: r.handover.successor,
		Written: func(mark *broadcasting.Mark) { r.measures.delivered(mark); r.tracing.delivered(mark) },
	})
	r.monitor = server.NewMonitor(func() server.Counters { return server.ReadCounters(r.sockets, r.engine, r.relay) })
	r.router, err = server.NewRouter(server.RouterOptions{
		Origins: r.origins, PublicURL: cfg.Server.PublicURL, TrustedProxies: cfg.Server.TrustedProxies, HSTS: time.Duration(cfg.Server.HSTS), Log: logFor("http"),
		Observe: r.measures.http.observe,
	})
	if err != nil {
		return nil, err
	}
	if r.tracing != nil {
		r.router.Use(r.tracing.request)
	}
	r.health = &health{log: logFor("health"), checks: []healthCheck{
		{"database", store.Ping},
		{"relay", func(context.Context) error { return r.relay.Ready() }},
	}, probes: []*probe{{healthCheck: healthCheck{"writes", store.ProbeWrite}}}}
	if r.nodes != nil {
		r.health.checks = append(r.health.checks,
			healthCheck{"bus", func(context.Context) error { return r.nodes.Ready() }},
			healthCheck{"tail", func(context.Context) error { return r.tail.Ready() }})
	}
	if folder, local := files.(crm.Folder); local {
		r.health.probes = append(r.health.probes, &probe{healthCheck: healthCheck{"files", folder.Writable}})
	}
	built, err := console.Embedded()
	if err != nil {
		return nil, err
	}
	r.register(cfg, o, publicURL, built, logFor)
	return r, nil
}

// close releases what wire took, as far as it came.
func (r *components) close() error {
	var errs []error
	if r.filesDone != nil {
		r.filesDone()
	}
	errs = append(errs, r.tracing.close())
	if r.keys != nil {
		errs = append(errs, r.keys.Close())
	}
	if r.nodes != nil {
		errs = append(errs, r.nodes.Close())
	}
	return errors.Join(errs...)
}

// wireWhatsApp makes the messenger of WhatsApp's lines. Unpaired lines are served by
// the bridge.
func (r *components) wireWhatsApp(ctx context.Context, cfg config.Config, log *slog.Logger) (err error) {
	keys, err := cfg.Encryption.Load()
	if err != nil {
		return err
	}
	var dialect string
	if r.keys, dialect, err = r.store.SideDB(ctx); err != nil {
		return err
	}
	// Nodes that start together must not make its tables at the same time.
	err = r.store.MigrateBeside(ctx, func() error { return whatsapp.UpgradeTables(ctx, r.keys, dialect) })
	if err != nil {
		return err // close closes the keys
	}
	r.whatsapp, err = whatsapp.New(ctx, whatsapp.Options{
		DB: r.keys, Dialect: dialect, Keys: keys, Log: log, Endpoint: cfg.WhatsApp.Endpoint, RootKey: cfg.WhatsApp.RootKey, Unpaired: bridge.Messenger{},
		Alone:    !cfg.Bus.Cluster(), // New has locked the database
		Archives: cfg.WhatsApp.Archive, SendDelay: time.Duration(cfg.WhatsApp.SendDelay), Guard: cfg.WhatsApp.Guard, TypeFor: time.Duration(cfg.WhatsApp.Typing), PrivateLinks: cfg.Files.AllowPrivateLinks,
		PrivateProxies: cfg.WhatsApp.AllowPrivateProxies,
	})
	return err
}

// wireWebhooks makes the webhooks, and has the engine record channel events for them.
func (r *components) wireWebhooks(ctx context.Context, cfg config.Config, log *slog.Logger) (err error) {
	r.hooks, err = webhook.New(ctx, webhook.Options{
		Store: NewWebhookStore(r.store), Log: log, Apps: r.served, AllowPrivate: cfg.Webhooks.AllowPrivateTargets,
		SuspendAfter: time.Duration(cfg.Webhooks.SuspendAfter), Alone: !cfg.Bus.Cluster(), // New has locked the database
	})
	if err != nil {
		return err
	}
	r.engine.Record(r.hooks)
	return nil
}

// register adds the routes of every plug to the router.
func (r *components) register(cfg config.Config, o Options, publicURL string, built *console.Build, logFor func(name string) *slog.Logger) {
	r.dialect = pusher.New(pusher.Options{
		Apps: r.apps, Engine: r.engine, Sockets: r.sockets, Origins: r.origins, Log: logFor("pusher"), Refusals: r.refusals, History: r.history,
		MessagesPerSecond: cfg.Limits.MessagesPerSecond, MessageBurst: cfg.Limits.MessagesBurst,
	})
	backends := &pusher.HTTPAPI{Apps: r.apps, Engine: r.engine, BasePath: cfg.Server.Path(), History: r.history, Log: logFor("pusher"), Refusals: r.refusals}
	authorizer := &pusher.Authorizer{
		App: r.apps.First(), Users: userDirectory{r.rules}, UserInfo: userDirectory{r.rules}, Policy: channels.Policy{Access: r.rules},
		Grants: r.engine, Journal: crm.History{Service: r.rules}, Log: logFor("pusher"), Refusals: r.refusals,
		Trouble: authTrouble,
	}
	r.streams = api.NewEventStreams(api.EventStreamOptions{
		Engine: r.engine, App: cfg.Apps[0].ID, CountsEnabled: func() bool { return r.apps.First().SubscriptionCount },
	})
	crmAPI := &api.API{CRM: r.rules, BasePath: cfg.Server.Path(), Log: logFor("api"), Refusals: r.refusals, Streams: r.streams, Node: api.Node{
		Monitor: r.monitor, Hub: r.engine, Version: o.Version, Commit: o.Commit, Started: time.Now(),
		Retention: time.Duration(cfg.Journal.Retention),
	}}
	first := cfg.Bootstrap
	page := &console.Console{
		Build: built, NotFound: crmAPI.NoRoute, Version: o.Version, Commit: o.Commit, AppKey: cfg.Apps[0].Key, PublicURL: cfg.Server.URL(), BasePath: cfg.Server.Path(),
		AppID: first.AppID, CompanyID: first.Company.ID, UserID: first.User.ID, LicenseID: first.License.ID, Messengers: first.License.Messengers,
	}
	bodies := server.NewBodies()
	evolutionAPI := &evolution.Evolution{
		CRM: r.rules, Log: logFor("evolution"), PublicURL: publicURL, Refusals: r.refusals, ExposeTokens: cfg.Evolution.ExposeTokens,
		Bodies: bodies, PrivateLinks: cfg.Files.AllowPrivateLinks,
	}
	r.router.Use(func(c *gin.Context) { // before the console's page, which has the same path
		if evolutionAPI.Welcome(c) {
			c.Abort()
		}
	})
	evolutionAPI.Register(r.router)
	profiles, multiwaAPI := r.registerMultiWA(cfg, bodies, logFor("multiwa"))
	r.wireSocketIO(cfg, publicURL, profiles, logFor("socketio"))
	r.dialect.Register(r.router)
	backends.Register(r.router)
	authorizer.Register(r.router)
	crmAPI.Register(r.router)
	crmAPI.RegisterSchemas(r.router)
	(&docs.Docs{URL: publicURL}).Register(r.router)
	page.Register(r.router)
	r.health.register(r.router)
	securityTxt{contact: cfg.Server.Contact(), publicURL: publicURL, notFound: crmAPI.NoRoute}.register(r.router)
	r.router.NoMethod(func(c *gin.Context) {
		if !multiwaAPI.NotFound(c, r.router) && !evolutionAPI.NotFound(c, r.router) {
			server.MethodNotAllowed(c)
		}
	})
	r.router.NoRoute(func(c *gin.Context) {
		if !multiwaAPI.NotFound(c, r.router) && !evolutionAPI.NotFound(c, r.router) && !r.dialect.NotFound(c) && !backends.NotFound(c) {
			crmAPI.NoRoute(c)
		}
	})
}
