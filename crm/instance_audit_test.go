package crm_test

import (
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models/testdb"
)

// TestEachSettingOfAnInstanceIsAudited changes one setting after the other: the audit log must say
// which one was changed.
func TestEachSettingOfAnInstanceIsAudited(t *testing.T) {
	w, ctx := crmtest.New(t, testdb.Open(t, testdb.SQLiteURL(t))), t.Context()
	on := crm.Value(true)
	for name, ch := range map[string]crm.InstanceChanges{
		"rejectCall": {RejectCall: on}, "groupsIgnore": {GroupsIgnore: on}, "alwaysOnline": {AlwaysOnline: on}, "online": {Online: on},
		"readMessages": {ReadMessages: on}, "readStatus": {ReadStatus: on}, "syncFullHistory": {SyncFullHistory: on},
	} {
		if _, err := w.ChangeInstance(ctx, w.Owner, worldInstance, ch); err != nil {
			t.Fatal(err)
		}
		log, err := w.AuditLog(ctx, w.Owner, crm.AuditQuery{Action: crm.AuditInstanceChanged})
		if err != nil || len(log.Items) == 0 {
			t.Fatalf("%v, %v", log, err)
		}
		if d := log.Items[0].Details; len(d) != 2 || d[name] != "true" || d[name+"Before"] != "false" {
			t.Errorf("the entry about %s says %v", name, d)
		}
	}
}
