package app

import (
	"log/slog"

	"chatcast/channels/clientaddr"
	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
	"chatcast/server/socketio"
)

// wireSocketIO serves the clients of Evolution API and l2msg over Socket.IO. The settings
// were checked.
func (r *components) wireSocketIO(cfg config.Config, publicURL string, log *slog.Logger) {
	keyless, err := clientaddr.ParseProxies(cfg.Evolution.Keyless)
	if err != nil {
		log.Error("evolution.keyless is ignored", "error", err)
	}
	rooms := &instanceRooms{
		rules: r.rules, router: r.router, url: publicURL, global: cfg.Evolution.GlobalEvents, keyless: keyless,
	}
	r.instances = socketio.New(socketio.Options{
		Rooms: rooms, Engine: r.engine, Sockets: r.sockets, App: cfg.Apps[0].ID, Origins: r.origins, Log: log,
		History: crm.History{Service: r.rules}, Secret: []byte(r.apps.First().Secret), // all nodes have it
	})
	r.instances.Register(r.router)
}
