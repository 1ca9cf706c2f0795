package whatsapp

import (
	"context"
	"time"

	"go.mau.fi/util/dbutil"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"chatcast/models/seal"
)

// A phone announces its history in parts. What it announces is stored before it is
// acknowledged, and imported later: an import takes long, and nothing that people write
// meanwhile may wait for it. A row goes with its device.

// historyPart says where a part is, with the key to it, or has the part itself.
var historyPart = seal.Column{Table: "whatsapp_history_parts", Name: "part", Key: []string{"device", "message_id"}}

// keepPart stores a part that is to be imported. id is that of the announcement.
func (c *container) keepPart(ctx context.Context, device, id string, n *waE2E.HistorySyncNotification) error {
	part, err := proto.Marshal(n)
	if err != nil {
		return err
	}
	if c.keys != nil {
		part = c.keys.Seal(historyPart, part, device, id)
	}
	_, err = c.db.Exec(ctx, `INSERT INTO whatsapp_history_parts (device, message_id, part, kept_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (device, message_id) DO NOTHING`, device, id, part, time.Now().UnixMilli())
	return err
}

// partIDs lists the parts of a device that are to be imported, in the order in which they came.
func (c *container) partIDs(ctx context.Context, device string) ([]string, error) {
	rows, err := c.db.Query(ctx, "SELECT message_id FROM whatsapp_history_parts WHERE device=$1 ORDER BY kept_at, message_id", device)
	return dbutil.NewRowIterWithError(rows, dbutil.ScanSingleColumn[string], err).AsList()
}

// part returns a part and when it came. The error satisfies unopened when it is damaged.
func (c *container) part(ctx context.Context, device, id string) (*waE2E.HistorySyncNotification, time.Time, error) {
	var part []byte
	var at int64
	err := c.db.QueryRow(ctx, "SELECT part, kept_at FROM whatsapp_history_parts WHERE device=$1 AND message_id=$2", device, id).Scan(&part, &at)
	if err == nil && c.keys != nil {
		part, err = c.keys.Open(historyPart, part, device, id)
	}
	n := new(waE2E.HistorySyncNotification)
	if err == nil {
		err = proto.Unmarshal(part, n)
	}
	return n, time.UnixMilli(at), err
}

// dropPart removes a part that was imported, or given up.
func (c *container) dropPart(ctx context.Context, device, id string) error {
	_, err := c.db.Exec(ctx, "DELETE FROM whatsapp_history_parts WHERE device=$1 AND message_id=$2", device, id)
	return err
}
