package app

import (
	"log/slog"

	"chatcast/channels"
	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
	"chatcast/server"
	"chatcast/server/multiwa"
)

// profiles shows the instances of lines to the dialect of MultiWA.
type profiles struct{ *crm.InstanceDirectory }

var _ multiwa.Lines = profiles{}

func (p profiles) Profile(on crm.Line) (id, phone string) {
	v, _ := p.Of(on)
	return v.ID, v.Phone
}

// registerMultiWA adds the routes of the dialect of MultiWA to the router.
func (r *components) registerMultiWA(cfg config.Config, bodies *server.Bodies, log *slog.Logger) (*multiwa.Server, *multiwa.API) {
	lines := profiles{r.rules.InstanceDirectory()}
	sockets := multiwa.New(multiwa.Options{
		CRM: r.rules, Lines: lines, Policy: channels.Policy{Access: r.rules}, Engine: r.engine, App: cfg.Apps[0].ID, Sockets: r.sockets,
		Origins: r.origins, Refusals: r.refusals, Log: log, MessagesPerSecond: cfg.Limits.MessagesPerSecond, MessageBurst: cfg.Limits.MessagesBurst,
	})
	sockets.Register(r.router)
	rest := &multiwa.API{CRM: r.rules, Lines: lines, Log: log, Refusals: r.refusals, Bodies: bodies}
	rest.Register(r.router)
	return sockets, rest
}
