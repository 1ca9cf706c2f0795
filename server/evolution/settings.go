package evolution

import "chatcast/crm"

func settingsRoutes() []route {
	return []route{
		{methods: "POST", path: "/settings/set/:instance", body: settingsBody, lifts: settingsLifts, do: setSettings},
		{methods: "GET", path: "/settings/find/:instance", do: findSettings},
	}
}

// settingsBody are the settings. Evolution wants all that are not texts; here those that are
// absent stay as they are.
var settingsBody = schema{
	flag("rejectCall"), str("msgCall"), flag("groupsIgnore"), flag("alwaysOnline"), flag("readMessages"), flag("readStatus"),
	flag("syncFullHistory"), str("wavoipToken"),
}

// settingsLifts are the settings in version 1.
var settingsLifts = []lift{
	{"reject_call", "rejectCall"}, {"msg_call", "msgCall"}, {"groups_ignore", "groupsIgnore"}, {"always_online", "alwaysOnline"},
	{"read_messages", "readMessages"}, {"read_status", "readStatus"}, {"sync_full_history", "syncFullHistory"},
}

type settingsV2 struct {
	RejectCall      bool   `json:"rejectCall"`
	MsgCall         string `json:"msgCall"`
	GroupsIgnore    bool   `json:"groupsIgnore"`
	AlwaysOnline    bool   `json:"alwaysOnline"`
	ReadMessages    bool   `json:"readMessages"`
	ReadStatus      bool   `json:"readStatus"`
	SyncFullHistory bool   `json:"syncFullHistory"`
	WavoipToken     string `json:"wavoipToken"`
}

type settingsV1 struct {
	RejectCall      bool   `json:"reject_call"`
	MsgCall         string `json:"msg_call"`
	GroupsIgnore    bool   `json:"groups_ignore"`
	AlwaysOnline    bool   `json:"always_online"`
	ReadMessages    bool   `json:"read_messages"`
	ReadStatus      bool   `json:"read_status"`
	SyncFullHistory bool   `json:"sync_full_history"`
}

func settingsOf(i *crm.Instance) settingsV2 {
	s := i.Settings
	return settingsV2{
		RejectCall: s.RejectCall, MsgCall: s.MsgCall, GroupsIgnore: s.GroupsIgnore, AlwaysOnline: s.AlwaysOnline, ReadMessages: s.ReadMessages,
		ReadStatus: s.ReadStatus, SyncFullHistory: s.SyncFullHistory, WavoipToken: s.WavoipToken,
	}
}

func settingsV1Of(i *crm.Instance) settingsV1 {
	s := i.Settings
	return settingsV1{
		RejectCall: s.RejectCall, MsgCall: s.MsgCall, GroupsIgnore: s.GroupsIgnore, AlwaysOnline: s.AlwaysOnline, ReadMessages: s.ReadMessages,
		ReadStatus: s.ReadStatus, SyncFullHistory: s.SyncFullHistory,
	}
}

// maybe returns a field of the rules for one of a body.
func maybe[T any](o object, name string) (f crm.Field[T]) {
	if v, is := o[name].(T); is {
		return crm.Value(v)
	}
	return f
}

func setSettings(q *request) (answer, error) {
	b := q.body
	_, err := q.e.CRM.ChangeInstance(q.ctx, q.actor, q.instance.Name, crm.InstanceChanges{
		RejectCall: maybe[bool](b, "rejectCall"), MsgCall: emptied(q, "msgCall", "msg_call"), GroupsIgnore: maybe[bool](b, "groupsIgnore"),
		AlwaysOnline: maybe[bool](b, "alwaysOnline"), ReadMessages: maybe[bool](b, "readMessages"), ReadStatus: maybe[bool](b, "readStatus"),
		SyncFullHistory: maybe[bool](b, "syncFullHistory"), WavoipToken: emptied(q, "wavoipToken"),
	})
	if err != nil {
		return answer{}, err
	}
	sent := object{} // as it was sent, without what is no setting
	for _, f := range settingsBody {
		if v, has := q.raw[f.name]; has {
			sent[f.name] = v
		}
	}
	for _, l := range settingsLifts {
		if v, has := q.raw[l.from]; has {
			sent[l.from] = v
		}
	}
	return made(struct {
		Settings any `json:"settings"`
	}{struct {
		InstanceName string `json:"instanceName"`
		Settings     object `json:"settings"`
	}{q.instance.Name, sent}}), nil
}

// emptied is maybe for a text that an empty one takes away.
func emptied(q *request, names ...string) (f crm.Field[string]) {
	for _, name := range names {
		if v, is := q.raw[name].(string); is {
			return crm.Value(v)
		}
	}
	return f
}

func findSettings(q *request) (answer, error) {
	if q.v1() {
		return ok(settingsV1Of(q.instance)), nil
	}
	return ok(settingsOf(q.instance)), nil
}
