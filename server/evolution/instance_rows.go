package evolution

import (
	"encoding/json"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

// instanceRow is a row of fetchInstances.
type instanceRow struct {
	ID                      string          `json:"id"`
	Name                    string          `json:"name"`
	ConnectionStatus        string          `json:"connectionStatus"`
	OwnerJID                *string         `json:"ownerJid"`
	ProfileName             *string         `json:"profileName"`
	ProfilePicURL           *string         `json:"profilePicUrl"`
	Integration             string          `json:"integration"`
	Number                  *string         `json:"number"`
	BusinessID              *string         `json:"businessId"`
	Token                   *string         `json:"token"`
	ClientName              string          `json:"clientName"`
	DisconnectionReasonCode *int64          `json:"disconnectionReasonCode"`
	DisconnectionObject     *string         `json:"disconnectionObject"`
	DisconnectionAt         *wireTime       `json:"disconnectionAt"`
	CreatedAt               wireTime        `json:"createdAt"`
	UpdatedAt               wireTime        `json:"updatedAt"`
	Chatwoot                any             `json:"Chatwoot"`
	Proxy                   *instanceProxy  `json:"Proxy"`
	Rabbitmq                any             `json:"Rabbitmq"`
	Nats                    any             `json:"Nats"`
	Sqs                     any             `json:"Sqs"`
	Websocket               *websocketRow   `json:"Websocket"`
	Setting                 settingRow      `json:"Setting"`
	Count                   instanceFigures `json:"_count"`
}

type instanceFigures struct {
	Message int64
	Contact int64
	Chat    int64
}

type settingRow struct {
	ID string `json:"id"`
	settingsV2
	CreatedAt  wireTime `json:"createdAt"`
	UpdatedAt  wireTime `json:"updatedAt"`
	InstanceID string   `json:"instanceId"`
}

// instanceProxy is the proxy of an instance, without its password.
type instanceProxy struct {
	ID string `json:"id"`
	proxyRow
	CreatedAt  wireTime `json:"createdAt"`
	UpdatedAt  wireTime `json:"updatedAt"`
	InstanceID string   `json:"instanceId"`
}

// instanceV1 is a row of fetchInstances in version 1. One that is closed has no more than its
// first three fields.
type instanceV1 struct {
	InstanceName      string  `json:"instanceName"`
	InstanceID        string  `json:"instanceId"`
	Owner             string  `json:"owner,omitempty"`
	ProfileName       *string `json:"profileName,omitempty"`
	ProfilePictureURL any     `json:"profilePictureUrl,omitempty"` // null: none
	ProfileStatus     *string `json:"profileStatus,omitempty"`
	Status            string  `json:"status"`
}

func jidOfPhone(phone *string) *string {
	if phone == nil || *phone == "" {
		return nil
	}
	jid := *phone + "@s.whatsapp.net"
	return &jid
}

// figures returns what the lines of instances have, as far as the key may read them.
func (q *request) figures(list []crm.Instance) (map[crm.Line]instanceFigures, error) {
	if !q.key.Has(crm.KeyRead) {
		return nil, nil
	}
	var lines []crm.Line
	for k := range list {
		if q.askedShape(list[k].Shape) != crm.ShapeV1 {
			lines = append(lines, list[k].Line)
		}
	}
	return q.e.counts.of(q.ctx, lines, func(some []crm.Line) (map[crm.Line]instanceFigures, error) {
		counted, err := q.e.CRM.CountLines(q.ctx, some)
		figures := make(map[crm.Line]instanceFigures, len(counted))
		for line, n := range counted {
			figures[line] = instanceFigures{Message: n.Messages, Contact: n.Contacts, Chat: n.Chats}
		}
		return figures, err
	})
}

func (q *request) row(i *crm.Instance, status crm.LineStatus, tokens map[string]string, counts instanceFigures) (*instanceRow, error) {
	row := &instanceRow{
		ID: i.ID, Name: i.Name, ConnectionStatus: shape.LineState(status), OwnerJID: jidOfPhone(status.Phone), ProfileName: textOrNil(i.ProfileName),
		ProfilePicURL: textOrNil(i.PictureURL), Number: textOrNil(i.Number),
		Integration: integration, ClientName: clientName, CreatedAt: wireTime(i.CreatedAt), UpdatedAt: wireTime(i.UpdatedAt),
		Websocket: rowOfWebsocket(i), Count: counts,
		Setting: settingRow{
			ID: i.ID, settingsV2: settingsOf(i), CreatedAt: wireTime(i.CreatedAt), UpdatedAt: wireTime(i.UpdatedAt), InstanceID: i.ID,
		},
	}
	if token, shown := tokens[i.ID]; shown {
		row.Token = &token
	}
	if e := status.Ended; e != nil {
		code, why := shape.Disconnection(e.State, e.Detail)
		at := wireTime(e.At)
		row.DisconnectionReasonCode, row.DisconnectionObject, row.DisconnectionAt = &code, &why, &at
	}
	if i.Proxy == "" {
		return row, nil
	}
	proxy, err := rowOfProxy(i.Proxy)
	row.Proxy = &instanceProxy{ID: i.ID, proxyRow: proxy, CreatedAt: wireTime(i.CreatedAt), UpdatedAt: wireTime(i.UpdatedAt), InstanceID: i.ID}
	return row, err
}

type wrappedV1 struct {
	Instance instanceV1 `json:"instance"`
}

func (q *request) rowV1(i *crm.Instance, status crm.LineStatus) wrappedV1 {
	row := instanceV1{InstanceName: i.Name, InstanceID: i.ID, Status: shape.LineState(status)}
	if jid := jidOfPhone(status.Phone); row.Status != shape.StateClose && jid != nil {
		row.Owner, row.ProfileName, row.ProfileStatus, row.ProfilePictureURL = *jid, &i.ProfileName, &i.About, json.RawMessage("null")
		if i.PictureURL != "" {
			row.ProfilePictureURL = i.PictureURL
		}
	}
	return wrappedV1{row}
}
