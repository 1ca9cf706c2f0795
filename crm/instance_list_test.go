package crm_test

import (
	"fmt"
	"reflect"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestListedInstances compares the instances of lists, their states and their tokens with what is
// told of each alone, for people and for keys with each set of rights.
func TestListedInstances(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		w.ExposeTokens = true
		hook := crm.InstanceWebhook{Enabled: true, URL: "https://example.com/secret", Headers: map[string]string{"Authorization": "Bearer secret"}}
		made, err := w.CreateInstance(ctx, w.Owner, crm.InstanceInput{Name: "one", Webhook: &hook, Settings: crm.InstanceSettings{RejectCall: true, MsgCall: "no", WavoipToken: "secret"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.CreateInstance(ctx, w.Owner, crm.InstanceInput{Name: "two"}); err != nil {
			t.Fatal(err)
		}
		everything, err := w.Instances(ctx, w.Owner)
		if err != nil {
			t.Fatal(err)
		}
		strange, err := w.Instances(ctx, w.Stranger)
		if err != nil {
			t.Fatal(err)
		}
		everything = append(everything, strange...)
		actors := everyRight(t, w, made.Line)
		seen, tokened := 0, 0
		for who, a := range actors {
			of, withToken := compareListed(t, w, who, a, everything)
			seen, tokened = seen+of, tokened+withToken
		}
		if seen == 0 || tokened == 0 {
			t.Errorf("%d instances and %d tokens were seen", seen, tokened)
		}
	})
}

// everyRight returns people, and keys of the line and of the company with each set of rights.
func everyRight(t *testing.T, w *crmtest.World, on crm.Line) map[string]crm.Actor {
	t.Helper()
	actors := map[string]crm.Actor{"owner": w.Owner, "reader": w.Reader, "outsider": w.Outsider, "stranger": w.Stranger, "nobody": {UserID: 1}}
	for bits := 1; bits < 1<<len(crm.KeyRights()); bits++ {
		var rights []string
		for i, right := range crm.KeyRights() {
			if bits&(1<<i) != 0 {
				rights = append(rights, right)
			}
		}
		_, actors[fmt.Sprint("line", rights)] = makeKey(t, w, ofLine(on, rights...))
		_, actors[fmt.Sprint("company", rights)] = makeKey(t, w, crm.KeyInput{Name: "company", Rights: rights})
	}
	return actors
}

// compareListed counts the instances of everything that the actor sees, and those with a token.
func compareListed(t *testing.T, w *crmtest.World, who string, a crm.Actor, everything []crm.Instance) (seen, tokened int) {
	t.Helper()
	ctx := t.Context()
	list, err := w.Instances(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]crm.Instance{}
	for _, i := range list {
		listed[i.ID] = i
	}
	states, err := w.InstanceStates(ctx, a, everything)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := w.InstanceTokens(ctx, a, everything)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range everything {
		alone, err := w.InstanceByID(ctx, a, i.ID)
		got, in := listed[i.ID]
		status, told := states[i.ID]
		token, has := tokens[i.ID]
		if err != nil {
			if code(err) != crm.CodeNotFound || in || told || has {
				t.Errorf("%s, %s: %v, yet it is listed: %v, %v, %v", who, i.Name, err, in, told, has)
			}
			continue
		}
		seen++
		if !in || !reflect.DeepEqual(&got, alone) {
			t.Errorf("%s, %s is listed as %+v, and alone it is %+v", who, i.Name, got, alone)
		}
		if want, err := w.InstanceStatus(ctx, a, i.Name); err != nil || !reflect.DeepEqual(status, want) {
			t.Errorf("%s, %s: the state is %+v; want %+v, %v", who, i.Name, status, want, err)
		}
		want, err := w.InstanceToken(ctx, a, i.Name)
		if err != nil || has != (want != nil) || has && token != *want {
			t.Errorf("%s, %s: the token is %q, %v; want %v, %v", who, i.Name, token, has, want, err)
		}
		if has {
			tokened++
		}
	}
	return seen, tokened
}

// TestInstanceListsCost counts the statements of lists of many instances: they must not be asked
// for one by one.
func TestInstanceListsCost(t *testing.T) {
	url, executed := testdb.CountStatements(t, testdb.PostgresURL(t))
	w, ctx := crmtest.New(t, testdb.Open(t, url)), t.Context()
	w.ExposeTokens = true
	const more = 20
	for i := range more {
		if _, err := w.CreateInstance(ctx, w.Owner, crm.InstanceInput{Name: fmt.Sprint("more", i)}); err != nil {
			t.Fatal(err)
		}
	}
	_, key := makeKey(t, w, crm.KeyInput{Name: "company", Rights: crm.KeyRights()})
	for who, a := range map[string]crm.Actor{"the owner": w.Owner, "a key": key} {
		before := executed()
		list, err := w.Instances(ctx, a)
		if n := executed() - before; err != nil || len(list) < more || n > 6 {
			t.Errorf("%d instances of %s took %d statements, %v", len(list), who, n, err)
		}
		before = executed()
		states, err := w.InstanceStates(ctx, a, list)
		if n := executed() - before; err != nil || len(states) != len(list) || n > 4 {
			t.Errorf("%d states for %s took %d statements, %v", len(states), who, n, err)
		}
		before = executed()
		tokens, err := w.InstanceTokens(ctx, a, list)
		if n := executed() - before; err != nil || len(tokens) != more || n > 6 {
			t.Errorf("%d tokens for %s took %d statements, %v", len(tokens), who, n, err)
		}
	}
}
