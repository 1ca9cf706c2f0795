package access_test

import (
	"net/http"
	"strings"
	"testing"

	"chatcast/models/testdb"
	"chatcast/server/api/apitest"
)

// evolutionRoutes are the routes of Evolution API, and who may use them. Those of two methods have
// both, with a comma between.
var evolutionRoutes = []dialectRoute{
	{"POST /instance/create", `{"instanceName":"new","integration":"WHATSAPP-BAILEYS"}`, "manage", 201, "company", ""},
	{"GET /instance/fetchInstances", "", "", 200, "list", ""},
	{"GET /instance/connectionState/{instance}", "", "", 200, "", ""},
	{"GET /instance/connect/{instance}", "", "manage", 200, "", account},
	{"POST,PUT /instance/restart/{instance}", "", "manage", 200, "", account},
	{"POST /instance/setPresence/{instance}", `{"presence":"available"}`, "manage", 201, "", account},
	{"DELETE /instance/logout/{instance}", "", "manage", 400, "", account},
	{"DELETE /instance/delete/{instance}", "", "manage", 200, "", ""},
	{"POST /verify-creds", "", "", 200, "company", ""},
	{"POST /settings/set/{instance}", `{"rejectCall":false,"groupsIgnore":true,"alwaysOnline":false,"readMessages":false,"readStatus":false,"syncFullHistory":false}`, "manage", 201, "", ""},
	{"GET /settings/find/{instance}", "", "", 200, "", ""},
	{"POST /websocket/set/{instance}", `{"enabled":true,"events":[]}`, "manage", 201, "", ""},
	{"GET /websocket/find/{instance}", "", "", 200, "", ""},
	{"POST /webhook/set/{instance}", `{"enabled":true,"url":"{hooks}","events":[]}`, "manage+read", 201, "", ""},
	{"POST /webhook/instance/{instance}", `{"enabled":true,"url":"{hooks}","events":[]}`, "manage+read", 201, "", ""},
	{"GET /webhook/find/{instance}", "", "manage+read", 200, "", ""},
	{"POST /proxy/set/{instance}", `{"enabled":false}`, "manage", 201, "", account},
	{"GET /proxy/find/{instance}", "", "manage", 404, "", account},

	{"POST /message/sendText/{instance}", `{"number":"{chat}","text":"x"}`, "send", 201, "", ""},
	{"POST /message/sendMedia/{instance}", `{"number":"{chat}","mediatype":"image","media":"https://files.example/x.png"}`, "send", 201, "", ""},
	{"POST /message/sendPtv/{instance}", `{"number":"{chat}","video":"https://files.example/x.mp4"}`, "send", 201, "", ""},
	{"POST /message/sendWhatsAppAudio/{instance}", `{"number":"{chat}","audio":"SUQzAwAAAAAAIQ=="}`, "send", 201, "", ""},
	{"POST /message/sendSticker/{instance}", `{"number":"{chat}","sticker":"https://files.example/x.webp"}`, "send", 201, "", ""},
	{"POST /message/sendLocation/{instance}", `{"number":"{chat}","name":"x","address":"x","latitude":1,"longitude":1}`, "send", 201, "", ""},
	{"POST /message/sendContact/{instance}", `{"number":"{chat}","contact":[{"fullName":"x","phoneNumber":"351912000002"}]}`, "send", 201, "", ""},
	{"POST /message/sendReaction/{instance}", `{"key":{"id":"alpha-1","remoteJid":"{chat}@s.whatsapp.net","fromMe":false},"reaction":"👍"}`, "send", 201, "", ""},
	{"POST /message/sendPoll/{instance}", `{"number":"{chat}","name":"x","selectableCount":1,"values":["a","b"]}`, "send", 201, "", ""},
	{"POST /message/sendList/{instance}", `{"number":"{chat}","title":"x","buttonText":"x","footerText":"x","sections":[{"title":"x","rows":[{"title":"x","rowId":"x"}]}]}`, "send", 201, "", ""},
	{"POST /message/sendButtons/{instance}", `{"number":"{chat}","title":"x","buttons":[{"type":"reply","displayText":"x","id":"x"}]}`, "send", 201, "", ""},
	{"POST /message/sendStatus/{instance}", `{"type":"text","content":"x","font":1,"backgroundColor":"#008000","allContacts":false,"statusJidList":["351912000001@s.whatsapp.net"]}`, "manage", 201, "", account},
	{"POST /message/sendTemplate/{instance}", "", "", 501, "", ""},
	{"POST /call/offer/{instance}", "", "", 501, "", ""},

	{"POST /chat/findMessages/{instance}", `{}`, "read", 200, "", ""},
	{"POST /chat/findStatusMessage/{instance}", `{}`, "read", 200, "", ""},
	{"GET,POST /chat/findChats/{instance}", `{}`, "read", 200, "", ""},
	{"POST /chat/findContacts/{instance}", `{}`, "read", 200, "", ""},
	{"GET /chat/findChatByRemoteJid/{instance}?remoteJid={chat}@s.whatsapp.net", "", "read", 200, "", ""},
	{"GET /label/findLabels/{instance}", "", "read", 200, "", ""},
	{"POST,PUT /label/handleLabel/{instance}", `{"number":"{chat}","labelId":"{tag}","action":"add"}`, "read+send", 200, "", ""},
	{"POST /chat/getBase64FromMediaMessage/{instance}", `{"message":{"key":{"id":"{file}"}}}`, "read", 201, "", ""},
	{"POST,PUT /chat/markMessageAsRead/{instance}", `{"readMessages":[{"id":"alpha-1","fromMe":false,"remoteJid":"{chat}@s.whatsapp.net"}]}`, "read+send", 201, "", ""},
	{"DELETE /chat/deleteMessageForEveryone/{instance}", `{"id":"alpha-2","fromMe":true,"remoteJid":"{chat}@s.whatsapp.net"}`, "read+send", 201, "", ""},
	{"POST,PUT /chat/updateMessage/{instance}", `{"number":"{chat}","text":"y","key":{"id":"{wrote}","fromMe":true,"remoteJid":"{chat}@s.whatsapp.net"}}`, "read+send", 200, "", ""},
	{"POST /chat/sendPresence/{instance}", `{"number":"{chat}","presence":"composing","delay":0}`, "send", 201, "", ""},
	{"POST,PUT /chat/updateBlockStatus/{instance}", `{"number":"{chat}","status":"block"}`, "read+send", 201, "", account},
	{"POST,PUT /message/updateBlockStatus/{instance}", `{"number":"{chat}","status":"block"}`, "read+send", 201, "", account},
	{"POST,PUT /chat/archiveChat/{instance}", `{"chat":"{chat}@s.whatsapp.net","archive":true,"lastMessage":{"key":{"id":"x","fromMe":false,"remoteJid":"{chat}@s.whatsapp.net"}}}`, "read+send", 201, "", account},
	{"POST,PUT /chat/markChatUnread/{instance}", `{"chat":"{chat}@s.whatsapp.net","lastMessage":{"key":{"id":"x","fromMe":false,"remoteJid":"{chat}@s.whatsapp.net"}}}`, "read+send", 201, "", account},
	{"POST /chat/whatsappNumbers/{instance}", `{"numbers":["351912000001"]}`, "read+send", 200, "", account},
	{"POST /chat/fetchProfilePictureUrl/{instance}", `{"number":"{chat}"}`, "read+send", 200, "", account},
	{"POST /chat/fetchProfile/{instance}", `{"number":"{chat}"}`, "read+send", 200, "", account},
	{"GET /chat/fetchProfile/{instance}", "", "read", 200, "", account}, // of the account itself
	{"POST /chat/fetchBusinessProfile/{instance}", `{"number":"{chat}"}`, "read+send", 200, "", account},
	{"POST /chat/updateProfileName/{instance}", `{"name":"x"}`, "manage", 200, "", account},
	{"POST /chat/updateProfileStatus/{instance}", `{"status":"x"}`, "manage", 200, "", account},
	{"POST,PUT /chat/updateProfilePicture/{instance}", `{"picture":"{png}"}`, "manage", 200, "", account},
	{"DELETE /chat/removeProfilePicture/{instance}", "", "manage", 200, "", account},
	{"GET /chat/fetchPrivacySettings/{instance}", "", "manage", 200, "", account},
	{"POST,PUT /chat/updatePrivacySettings/{instance}", `{"readreceipts":"all","profile":"all","status":"all","online":"all","last":"all","groupadd":"all"}`, "manage", 201, "", account},

	{"POST /group/create/{instance}", `{"subject":"x","participants":["351912000002"]}`, "read+send", 201, "", account},
	{"POST,PUT /group/updateGroupPicture/{instance}", `{"groupJid":"{group}","image":"{png}"}`, "read+send", 201, "", account},
	{"POST,PUT /group/updateGroupSubject/{instance}", `{"groupJid":"{group}","subject":"x"}`, "read+send", 201, "", account},
	{"POST,PUT /group/updateGroupDescription/{instance}", `{"groupJid":"{group}","description":"x"}`, "read+send", 201, "", account},
	{"GET /group/inviteCode/{instance}?groupJid={group}", "", "read+send", 200, "", account},
	{"POST,PUT /group/revokeInviteCode/{instance}?groupJid={group}", "", "manage", 201, "", account},
	{"POST /group/sendInvite/{instance}", `{"groupJid":"{group}","description":"x","numbers":["{chat}"]}`, "read+send", 404, "", account},
	{"GET /group/inviteInfo/{instance}?inviteCode=AbCdEfGhIjKlMnOpQrStUv", "", "manage", 200, "", account},
	{"GET /group/acceptInviteCode/{instance}?inviteCode=AbCdEfGhIjKlMnOpQrStUv", "", "manage", 200, "", account},
	{"GET /group/findGroupInfos/{instance}?groupJid={group}", "", "read", 200, "", account},
	{"GET /group/fetchAllGroups/{instance}?getParticipants=false", "", "read", 200, "", account},
	{"GET /group/participants/{instance}?groupJid={group}", "", "read", 200, "", account},
	{"POST,PUT /group/updateParticipant/{instance}", `{"groupJid":"{group}","action":"add","participants":["351912000002"]}`, "read+send", 201, "", account},
	{"POST,PUT /group/updateParticipant/{instance}", `{"groupJid":"{group}","action":"promote","participants":["351912000002"]}`, "read+send+manage", 201, "", account},
	{"POST,PUT /group/updateSetting/{instance}", `{"groupJid":"{group}","action":"announcement"}`, "read+send", 201, "", account},
	{"POST,PUT /group/toggleEphemeral/{instance}", `{"groupJid":"{group}","expiration":0}`, "read+send", 201, "", account},
	{"DELETE /group/leaveGroup/{instance}?groupJid={group}", "", "manage", 200, "", account},
	{"POST /s3/getMedia/{instance}", "", "", 501, "", ""},
	{"POST /s3/getMediaUrl/{instance}", "", "", 501, "", ""},
}

// notHereRoutes are the routes of what this server does not connect to.
func notHereRoutes() (all []dialectRoute) {
	for _, name := range []string{"template", "business", "openai", "dify", "flowise", "n8n", "evoai", "evolutionBot"} {
		all = append(all, dialectRoute{"GET /" + name + "/find/{instance}", "", "", 200, "", ""}, dialectRoute{"POST /" + name + "/create/{instance}", "", "", 501, "", ""})
	}
	for _, name := range []string{"rabbitmq", "nats", "sqs", "kafka", "pusher", "chatwoot", "typebot"} {
		all = append(all, dialectRoute{"GET /" + name + "/find/{instance}", "", "", 200, "", ""}, dialectRoute{"POST /" + name + "/set/{instance}", `{"enabled":true}`, "", 501, "", ""})
	}
	return all
}

// TestEvolution is TestMultiWA for the routes of Evolution API, at the root and under /whatsapp.
func TestEvolution(t *testing.T) {
	var routes []dialectRoute
	for _, d := range append(notHereRoutes(), evolutionRoutes...) {
		methods, path, _ := strings.Cut(d.request, " ")
		for method := range strings.SplitSeq(methods, ",") {
			one := d
			if one.request = method + " " + path; method == http.MethodGet {
				one.body = ""
			}
			routes = append(routes, one)
		}
	}
	for _, database := range []string{"SQLite", "PostgreSQL"} {
		t.Run(database, func(t *testing.T) {
			url := ""
			if database == "PostgreSQL" {
				url = testdb.PostgresURL(t)
			}
			w := newDialectWorld(t, url)
			everybody := w.dialectCallers()
			if url != "" { // those whom different queries tell apart
				everybody = w.named("company, only read", "caWhatsApp, only send", "grWhatsApp, only manage", "company, all rights", "strange key", "revoked key", "nobody")
			}
			names := map[string]string{"": w.instance(lineOf(line)).Name, account: w.instance(lineOf(account)).Name}
			file := w.messageWithFile()
			w.saved = takeSnapshot(t, w.p.Components().Store)
			x := &dialect{world: w, header: "apikey", lineKeys: 401, fill: func(d *dialectRoute) *strings.Replacer {
				return strings.NewReplacer("{instance}", names[d.on], "{chat}", "79990000001", "{group}", groupIDs[alpha], "{hooks}", w.hooks, "{png}", onePixel, "{file}", file,
					"{tag}", w.text("tagId"), "{wrote}", w.text("written"))
			}, strange: `{"status":401,"error":"Unauthorized","response":{"message":"Unauthorized"}}`}
			x.complete(routes, func(method, path string) (string, bool) {
				rest, ok := strings.CutPrefix(path, "/whatsapp/")
				return method + " /" + rest, ok && !apitest.OfEngineIO(path)
			})
			for i := range routes {
				x.row(&routes[i], "", everybody)
				x.row(&routes[i], "/whatsapp", w.named("company, all rights", "company, only inbound", "strange key", "nobody"))
			}
			t.Logf("%d cells", x.cells)
		})
	}
}

// onePixel is a picture.
const onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
