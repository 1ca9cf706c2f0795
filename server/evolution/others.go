package evolution

import "net/http"

// notHere are the first parts of the paths of what Evolution connects to by itself, and this server
// does not. What else is asked under them is refused by NotFound.
var notHere = []string{"template", "business", "openai", "dify", "flowise", "n8n", "evoai", "evolutionBot"}

// integrations are those that can be switched off besides.
var integrations = []string{"rabbitmq", "nats", "sqs", "kafka", "pusher", "chatwoot", "typebot"}

// otherRoutes are those of what Evolution has and this server has not: where it finds nothing, the
// answer says so; what would change something is refused.
func otherRoutes() (all []route) {
	refuse := func(methods, path, what string) {
		all = append(all, route{methods: methods, path: path, do: func(*request) (answer, error) { return answer{}, notOffered(what) }})
	}
	refuse("POST", "/s3/getMedia/:instance", "s3/getMedia")
	refuse("POST", "/s3/getMediaUrl/:instance", "s3/getMediaUrl")
	for _, name := range notHere {
		all = append(all, route{methods: "GET", path: "/" + name + "/find/:instance", do: func(*request) (answer, error) {
			return answer{http.StatusOK, []any{}}, nil
		}})
		refuse("POST", "/"+name+"/create/:instance", name)
	}
	return all
}
