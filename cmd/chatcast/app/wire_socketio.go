package app

import (
	"log/slog"
	"time"

	"chatcast/channels/clientaddr"
	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
	"chatcast/server/multiwa"
	"chatcast/server/socketio"
)

// wireSocketIO serves the clients of Evolution API, l2msg and MultiWA over Socket.IO. The
// settings were checked.
func (r *components) wireSocketIO(cfg config.Config, publicURL string, profiles *multiwa.Server, log *slog.Logger) {
	keyless, err := clientaddr.ParseProxies(cfg.Evolution.Keyless)
	if err != nil {
		log.Error("evolution.keyless is ignored", "error", err)
	}
	instances := &instanceRooms{
		rules: r.rules, router: r.router, url: publicURL, global: cfg.Evolution.GlobalEvents, keyless: keyless, origins: r.origins, log: log,
	}
	o := socketio.Options{
		Rooms: rooms{instances, profiles}, Engine: r.engine, Sockets: r.sockets, App: cfg.Apps[0].ID, Origins: r.origins, Log: log,
		Refusals: r.refusals,
	}
	limitSocketIO(&o, cfg.SocketIO)
	if o.Connections == 0 {
		o.Connections = cfg.Apps[0].Limits.Or(cfg.Limits.Apps).Sockets
	}
	if cfg.SocketIO.Recovery {
		o.History, o.Secret = crm.History{Service: r.rules}, []byte(r.apps.First().Secret) // all nodes have it
	}
	r.instances = socketio.New(o)
	r.instances.Register(r.router)
}

func limitSocketIO(o *socketio.Options, c config.SocketIOConfig) {
	o.PingInterval, o.PingTimeout = time.Duration(c.PingInterval), time.Duration(c.PingTimeout)
	o.ConnectTimeout, o.UpgradeTimeout = time.Duration(c.ConnectTimeout), time.Duration(c.UpgradeTimeout)
	o.MaxPayload, o.PacketsPerSecond, o.PacketBurst = c.PacketBytes, c.PacketsPerSecond, c.PacketsBurst
	o.Namespaces, o.PerUser, o.Connections = c.Namespaces, c.NamespacesPerKey, c.Connections
}
