package crm_test

import (
	"fmt"
	"sync"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestInstancesMadeAtOnce makes, changes and removes instances and keys of one company at once:
// the locks must be taken in one order, or the database ends one of them for another.
func TestInstancesMadeAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		_, all := makeKey(t, w, ofCompany(crm.KeyRights()...))
		var wg sync.WaitGroup
		for n := range 6 {
			wg.Go(func() {
				for i := range 8 {
					name := fmt.Sprintf("i%d-%d", n, i)
					made, err := w.CreateInstance(ctx, all, crm.InstanceInput{Name: name})
					if err != nil {
						t.Errorf("create %s: %v", name, err)
						continue
					}
					k, err := w.CreateKey(ctx, w.Owner, ofLine(made.Line, crm.KeyRead))
					if err != nil {
						t.Errorf("key %s: %v", name, err)
					}
					if _, err := w.ChangeInstance(ctx, all, name, crm.InstanceChanges{MsgCall: crm.Value("x")}); err != nil {
						t.Errorf("change %s: %v", name, err)
					}
					if i%2 == 0 {
						if err := w.RevokeKey(ctx, w.Owner, k.ID); err != nil {
							t.Errorf("revoke %s: %v", name, err)
						}
					}
					if err := w.DeleteInstance(ctx, all, name); err != nil {
						t.Errorf("delete %s: %v", name, err)
					}
				}
			})
		}
		wg.Wait()
	})
}
