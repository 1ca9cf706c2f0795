package app

import (
	"log/slog"

	"chatcast/channels/clientaddr"
	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
	"chatcast/server/multiwa"
	"chatcast/server/socketio"
)

// namespacesPerKey is how many namespaces one key may have entered on a node.
const namespacesPerKey = 1000

// wireSocketIO serves the clients of Evolution API, l2msg and MultiWA over Socket.IO. The
// settings were checked.
func (r *components) wireSocketIO(cfg config.Config, publicURL string, profiles *multiwa.Server, log *slog.Logger) {
	keyless, err := clientaddr.ParseProxies(cfg.Evolution.Keyless)
	if err != nil {
		log.Error("evolution.keyless is ignored", "error", err)
	}
	instances := &instanceRooms{
		rules: r.rules, router: r.router, url: publicURL, global: cfg.Evolution.GlobalEvents, keyless: keyless, origins: r.origins,
		mains: newMainRooms(r.rules.InstanceDirectory(), log),
	}
	r.mains = instances.mains
	r.instances = socketio.New(socketio.Options{
		Rooms: rooms{instances, profiles}, Engine: r.engine, Sockets: r.sockets, App: cfg.Apps[0].ID, Origins: r.origins, Log: log,
		Refusals: r.refusals, Connections: cfg.Apps[0].Limits.Or(cfg.Limits.Apps).Sockets, PerUser: namespacesPerKey,
		History: crm.History{Service: r.rules}, Secret: []byte(r.apps.First().Secret), // all nodes have it
	})
	r.instances.Register(r.router)
}
