package chaos

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// keepHooks makes the database keep what nodes commit for the receivers of Pusher's
// webhooks: they remove it when it was delivered.
const keepHooks = `
	CREATE TABLE chaos_hooks (LIKE app_webhook_queue);
	CREATE FUNCTION keep_hook() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO chaos_hooks SELECT NEW.*; RETURN NULL; END $$;
	CREATE TRIGGER keep_hook AFTER INSERT ON app_webhook_queue FOR EACH ROW EXECUTE FUNCTION keep_hook();`

// committedHooks reads what was committed, in order.
func (w *world) committedHooks(ctx context.Context) (rows []hookRow) {
	w.t.Helper()
	conn, err := pgx.Connect(ctx, w.database)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close(ctx)
	found, err := conn.Query(ctx, "SELECT queued_by, created_at_ms, events FROM chaos_hooks ORDER BY id")
	if err != nil {
		w.t.Fatal(err)
	}
	rows, err = pgx.CollectRows(found, func(row pgx.CollectableRow) (r hookRow, err error) {
		return r, row.Scan(&r.by, &r.created, &r.events)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

// settleHooks waits until the receiver of the app was told of all members, who are there,
// and has all that was committed. What it lacks after that is a violation.
func (w *world) settleHooks(tick <-chan time.Time) {
	r := w.receivers[2]
	for end := time.Now().Add(patience); ; <-tick {
		w.hooks = w.committedHooks(w.t.Context())
		now, _ := tell(w.hooks)
		if len(now) == len(w.members)+1 && len(checkHooks(w.hooks, r.posted(), r.name)) == 0 {
			return
		}
		if time.Now().After(end) {
			if len(now) != len(w.members)+1 {
				w.report(violation{missing, "webhooks", "they say that there are " + now.String()})
			}
			return
		}
	}
}
