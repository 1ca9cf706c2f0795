package evolution

import (
	"net/http"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

func websocketRoutes() []route {
	return []route{
		{methods: "POST", path: "/websocket/set/:instance", body: schema{flag("enabled").must(), eventList()}, lifts: same("websocket", "enabled", "events"), do: setWebsocket},
		{methods: "GET", path: "/websocket/find/:instance", do: findWebsocket},
	}
}

func eventList() field { return list("events", str("").one(shape.EventNames()...)) }

// websocketRow is the row of an instance's websocket.
type websocketRow struct {
	ID         string   `json:"id"`
	Enabled    bool     `json:"enabled"`
	Events     []string `json:"events"`
	CreatedAt  wireTime `json:"createdAt"`
	UpdatedAt  wireTime `json:"updatedAt"`
	InstanceID string   `json:"instanceId"`
}

type websocketV1 struct {
	Enabled bool     `json:"enabled"`
	Events  []string `json:"events"`
}

// rowOfWebsocket returns the row, which has the id of its instance.
func rowOfWebsocket(i *crm.Instance) *websocketRow {
	return &websocketRow{
		ID: i.ID, Enabled: i.Websocket.Enabled, Events: shownEvents(i.Websocket.Enabled, i.Websocket.Events),
		CreatedAt: wireTime(i.CreatedAt), UpdatedAt: wireTime(i.UpdatedAt), InstanceID: i.ID,
	}
}

// shownEvents returns the events of a list as answers show them: an empty list is all events.
func shownEvents(enabled bool, events []string) []string {
	switch {
	case !enabled:
		return []string{}
	case len(events) == 0:
		return shape.EventNames()
	}
	return events
}

func setWebsocket(q *request) (answer, error) {
	on := crm.InstanceEvents{Enabled: isTrue(q.body, "enabled")}
	if on.Enabled {
		on.Events = texts(q.body, "events")
	}
	i, err := q.e.CRM.ChangeInstance(q.ctx, q.actor, q.instance.Name, crm.InstanceChanges{Websocket: crm.Value(on)})
	if err != nil {
		return answer{}, err
	}
	if q.v1() {
		return made(struct {
			Websocket any `json:"websocket"`
		}{struct {
			InstanceName string      `json:"instanceName"`
			Websocket    websocketV1 `json:"websocket"`
		}{i.Name, websocketV1{i.Websocket.Enabled, shownEvents(i.Websocket.Enabled, i.Websocket.Events)}}}), nil
	}
	return made(rowOfWebsocket(i)), nil
}

func findWebsocket(q *request) (answer, error) {
	if q.v1() {
		w := q.instance.Websocket
		return ok(websocketV1{w.Enabled, shownEvents(w.Enabled, w.Events)}), nil
	}
	return ok(rowOfWebsocket(q.instance)), nil
}

// integrationRoutes are those of what this server does not have: they can be found to be off, and
// be switched off.
func integrationRoutes() (all []route) {
	for _, name := range integrations {
		all = append(all,
			route{methods: "POST", path: "/" + name + "/set/:instance", body: schema{flag("enabled")}, lifts: same(name, "enabled"), do: func(q *request) (answer, error) {
				if isTrue(q.body, "enabled") {
					return answer{}, notOffered(name)
				}
				return ok(struct {
					Enabled bool `json:"enabled"`
				}{}), nil
			}},
			route{methods: "GET", path: "/" + name + "/find/:instance", do: func(*request) (answer, error) { return answer{http.StatusOK, nil}, nil }})
	}
	return all
}
