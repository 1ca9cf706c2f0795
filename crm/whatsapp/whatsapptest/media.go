package whatsapptest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/cbcutil"
	"go.mau.fi/whatsmeow/util/hkdfutil"
)

// mediaHostname is the name that clients are given to dial. Every name leads to
// this server.
const mediaHostname = "mmg.whatsapp.net"

const mediaAuth = "whatsapptest-media-auth"

// mediaHost stores encrypted files without their keys, as WhatsApp does. It has a
// lock of its own, because transfers are slow and everything else shares mu.
type mediaHost struct {
	mu       sync.Mutex
	files    map[string]*storedFile // by path
	refusals []int                  // statuses for the next uploads
	down     int                    // a status for every answer, or 0
	strange  []string               // the hosts of requests for other hosts

	pictures map[types.JID]picture // guarded by the server's mu
	hidden   map[types.JID]bool    // guarded by the server's mu: whose settings hide their pictures
}

type storedFile struct {
	data  []byte
	fault FileFault
}

type picture struct{ id, path string }

func newMediaHost() *mediaHost {
	return &mediaHost{files: make(map[string]*storedFile), pictures: make(map[types.JID]picture), hidden: make(map[types.JID]bool)}
}

func (h *mediaHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	down, misdirected := h.down, r.Host != mediaHostname
	if misdirected {
		h.strange = append(h.strange, r.Host)
	}
	h.mu.Unlock()
	switch {
	case misdirected:
		http.Error(w, "this is "+mediaHostname, http.StatusMisdirectedRequest)
	case down != 0:
		http.Error(w, "the media host is down", down)
	case r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/mms/"):
		h.upload(w, r)
	case r.Method == http.MethodGet:
		h.download(w, r)
	default:
		http.Error(w, "no such thing", http.StatusNotFound)
	}
}

// StrangeHosts returns the names of the other hosts that clients asked for files. Outside
// the stand-in they would have reached them.
func (s *Server) StrangeHosts() []string {
	s.media.mu.Lock()
	defer s.media.mu.Unlock()
	return slices.Clone(s.media.strange)
}

const uploadLimit = 256 << 20

func (h *mediaHost) upload(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	status := 0
	if len(h.refusals) > 0 {
		status, h.refusals = h.refusals[0], h.refusals[1:]
	}
	h.mu.Unlock()
	if status != 0 {
		http.Error(w, "refused", status)
		return
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, uploadLimit))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	sum := sha256.Sum256(data)
	if r.URL.Query().Get("auth") != mediaAuth || r.URL.Query().Get("token") != base64.URLEncoding.EncodeToString(sum[:]) {
		http.Error(w, "the token is not the file's", http.StatusForbidden)
		return
	}
	path := h.put(data)
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"url": "https://" + mediaHostname + path, "direct_path": path})
}

// put stores a file under a new path. The path contains a query, because clients
// append to it.
func (h *mediaHost) put(data []byte) string {
	path := "/v/t62.7118-24/" + hex.EncodeToString(randomBytes(12)) + "_n.enc"
	h.mu.Lock()
	defer h.mu.Unlock()
	h.files[path] = &storedFile{data: data}
	return path + "?ccb=11-4"
}

func (h *mediaHost) get(path string) (*storedFile, bool) {
	path, _, _ = strings.Cut(path, "?")
	h.mu.Lock()
	defer h.mu.Unlock()
	f, ok := h.files[path]
	return f, ok
}

// setPicture stores a profile picture. The server's mu is held.
func (h *mediaHost) setPicture(of types.JID, jpeg []byte) (id string) {
	id = fmt.Sprint(randomUint32())
	h.pictures[of] = picture{id, h.put(bytes.Clone(jpeg))}
	return id
}

// iqMediaConn answers with the hosts that accept files.
func (c *conn) iqMediaConn(n node) ([]node, error) {
	if _, ok := child(n, "media_conn"); !ok {
		return nil, errUnknown
	}
	return []node{{Tag: "media_conn", Attrs: attrs{
		"auth": mediaAuth, "ttl": 3600, "auth_ttl": 3600, "max_buckets": 12,
	}, Content: []node{{Tag: "host", Attrs: attrs{"hostname": mediaHostname}}}}}, nil
}

// File is an attachment on the media host, as a message describes it.
type File struct {
	URL, DirectPath              string
	Key, SHA256, EncryptedSHA256 []byte
	Length                       uint64
}

// Upload encrypts a file as a phone does and stores it on the media host. The keys
// are derived according to kind.
func (s *Server) Upload(data []byte, kind whatsmeow.MediaType) File {
	f := File{Key: randomBytes(32), Length: uint64(len(data))}
	plain := sha256.Sum256(data)
	f.SHA256 = plain[:]
	iv, cipherKey, macKey := fileKeys(f.Key, kind)
	sealed, err := cbcutil.Encrypt(cipherKey, iv, data[:len(data):len(data)])
	if err != nil {
		panic(err) // happens only with a key of a wrong length
	}
	sealed = append(sealed, fileMAC(macKey, iv, sealed)...)
	whole := sha256.Sum256(sealed)
	f.EncryptedSHA256 = whole[:]
	f.DirectPath = s.media.put(sealed)
	f.URL = "https://" + mediaHostname + f.DirectPath
	return f
}

func fileKeys(key []byte, kind whatsmeow.MediaType) (iv, cipherKey, macKey []byte) {
	expanded := hkdfutil.SHA256(key, nil, []byte(kind), 112)
	return expanded[:16], expanded[16:48], expanded[48:80]
}

func fileMAC(key, iv, sealed []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(iv)
	mac.Write(sealed)
	return mac.Sum(nil)[:10]
}

// Open fetches a client's upload as a phone does: the file must exist and match its
// description in the message.
func (s *Server) Open(m whatsmeow.DownloadableMessage) ([]byte, error) {
	f, ok := s.media.get(m.GetDirectPath())
	if !ok {
		return nil, fmt.Errorf("nothing at %s", m.GetDirectPath())
	}
	sealed := bytes.Clone(f.data)
	if sum := sha256.Sum256(sealed); !bytes.Equal(sum[:], m.GetFileEncSHA256()) {
		return nil, errors.New("the hash of the encrypted file is wrong")
	}
	iv, cipherKey, macKey := fileKeys(m.GetMediaKey(), whatsmeow.GetMediaType(m))
	if len(sealed) < 10 {
		return nil, errors.New("the file is shorter than its MAC")
	}
	body, mac := sealed[:len(sealed)-10], sealed[len(sealed)-10:]
	if !hmac.Equal(mac, fileMAC(macKey, iv, body)) {
		return nil, errors.New("the MAC of the file is wrong")
	}
	data, err := cbcutil.Decrypt(cipherKey, iv, body)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(data); !bytes.Equal(sum[:], m.GetFileSHA256()) {
		return nil, errors.New("the hash of the file is wrong")
	}
	if sized, ok := m.(interface{ GetFileLength() uint64 }); ok && sized.GetFileLength() != uint64(len(data)) {
		return nil, fmt.Errorf("%d bytes, of which the message says %d", len(data), sized.GetFileLength())
	}
	return data, nil
}
