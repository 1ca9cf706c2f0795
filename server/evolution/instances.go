package evolution

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

func instanceRoutes() []route {
	return []route{
		{methods: "POST", path: "/instance/create", company: true, body: createBody, lifts: createLifts, do: createInstance},
		{methods: "GET", path: "/instance/fetchInstances", do: fetchInstances},
		{methods: "GET", path: "/instance/connectionState/:instance", do: connectionState},
		{methods: "DELETE", path: "/instance/logout/:instance", do: logoutInstance},
		{methods: "DELETE", path: "/instance/delete/:instance", do: deleteInstance},
		{methods: "POST", path: "/instance/setPresence/:instance", body: schema{str("presence").must().one("unavailable", "available", "composing", "recording", "paused")},
			lifts: same("options", "presence"), do: setPresence},
	}
}

type instanceState struct {
	InstanceName string `json:"instanceName"`
	State        string `json:"state"`
}

// stateAnswer is the answer of connectionState, and of connect to an instance that is open.
type stateAnswer struct {
	Instance instanceState `json:"instance"`
}

// status returns the status of the instance's line.
func (q *request) status() (crm.LineStatus, error) {
	return q.e.CRM.InstanceStatus(q.ctx, q.actor, q.instance.Name)
}

func connectionState(q *request) (answer, error) {
	status, err := q.status()
	if err != nil {
		return answer{}, err
	}
	return ok(stateAnswer{instanceState{q.instance.Name, shape.LineState(status)}}), nil
}

// done is the answer to logout and delete.
type done struct {
	Status   string        `json:"status"`
	Error    bool          `json:"error"`
	Response errorResponse `json:"response"`
}

func logoutInstance(q *request) (answer, error) {
	if err := q.mustHave(crm.KeyManage); err != nil { // whatever the state is
		return answer{}, err
	}
	status, err := q.status()
	if err != nil {
		return answer{}, err
	}
	if shape.LineState(status) == shape.StateClose && status.LostSince == nil {
		return answer{}, bad(`The "` + q.instance.Name + `" instance is not connected`)
	}
	if err := q.e.CRM.Logout(q.ctx, q.actor, q.line()); err != nil {
		return answer{}, err
	}
	return ok(done{Status: "SUCCESS", Response: errorResponse{"Instance logged out"}}), nil
}

func deleteInstance(q *request) (answer, error) {
	if err := q.e.CRM.DeleteInstance(q.ctx, q.actor, q.instance.Name); err != nil {
		return answer{}, err
	}
	return ok(done{Status: "SUCCESS", Response: errorResponse{"Instance deleted"}}), nil
}

// setPresence shows the account as online until it is told otherwise, or no longer. Presences in
// chats are accepted and mean online: there is no chat here.
func setPresence(q *request) (answer, error) {
	presence := text(q.body, "presence")
	_, err := q.e.CRM.ChangeInstance(q.ctx, q.actor, q.instance.Name, crm.InstanceChanges{Online: crm.Value(presence != "unavailable")})
	if err != nil {
		return answer{}, err
	}
	return made(struct {
		Presence string `json:"presence"`
	}{presence}), nil
}

// wireTime is a time as JavaScript prints it.
type wireTime time.Time

// MarshalJSON implements json.Marshaler.
func (t wireTime) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Time(t).UTC().Format("2006-01-02T15:04:05.000Z"))
}

// fetchInstances lists the instances that the key may use: of a line's key, its own.
func fetchInstances(q *request) (answer, error) {
	all, err := q.e.CRM.Instances(q.ctx, q.actor)
	if err != nil {
		return answer{}, err
	}
	name, id, number := q.query("instanceName"), q.query("instanceId"), onlyDigits(q.query("number"), false)
	asked := slices.DeleteFunc(all, func(i crm.Instance) bool {
		return !crm.IsWhatsApp(i.Line.Messenger) || name != "" && i.Name != name || id != "" && i.ID != id
	})
	states, err := q.e.CRM.InstanceStates(q.ctx, q.actor, asked)
	if err != nil {
		return answer{}, err
	}
	found := slices.DeleteFunc(asked, func(i crm.Instance) bool {
		status, known := states[i.ID]
		return !known || number != "" && onlyDigits(i.Number, false) != number && (status.Phone == nil || *status.Phone != number) // deleted meanwhile, or another's
	})
	if by := name + id; len(found) == 0 && by != "" {
		if q.key.LicenseID != 0 {
			return answer{}, unauthorized
		}
		return answer{}, absent(`Instance "` + clip(by) + `" not found`)
	}
	if len(found) == 1 && name != "" && q.askedShape(found[0].Shape) == crm.ShapeV1 {
		return ok(q.rowV1(&found[0], states[found[0].ID])), nil
	}
	tokens, err := q.tokens(found)
	if err != nil {
		return answer{}, err
	}
	figures, err := q.figures(found)
	if err != nil {
		return answer{}, err
	}
	rows := make([]any, len(found))
	for k := range found {
		status := states[found[k].ID]
		if q.askedShape(found[k].Shape) == crm.ShapeV1 {
			rows[k] = q.rowV1(&found[k], status)
			continue
		}
		if rows[k], err = q.row(&found[k], status, tokens, figures[found[k].Line]); err != nil {
			return answer{}, err
		}
	}
	return ok(rows), nil
}

// tokens returns the keys that the instances were created with, by their ids, as far as they are
// shown.
func (q *request) tokens(list []crm.Instance) (map[string]string, error) {
	if !q.e.ExposeTokens {
		return nil, nil
	}
	return q.e.CRM.InstanceTokens(q.ctx, q.actor, list)
}

// nameInUse answers the creation of an instance whose name or token is taken.
func nameInUse(name string, err error) error {
	switch {
	case errors.Is(err, crm.ErrInstanceName):
		return &refusal{status: http.StatusForbidden, message: []string{`This name "` + name + `" is already in use.`}}
	case errors.Is(err, crm.ErrInstanceToken):
		return &refusal{status: http.StatusForbidden, message: []string{"Token already exists"}}
	}
	return err
}
