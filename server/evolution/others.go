package evolution

import "net/http"

// otherRoutes are those of what Evolution has and this server has not: where it finds nothing, the
// answer says so; what would change something is refused.
func otherRoutes() (all []route) {
	refuse := func(methods, path, what string) {
		all = append(all, route{methods: methods, path: path, do: func(*request) (answer, error) { return answer{}, notOffered(what) }})
	}
	refuse("POST", "/s3/getMedia/:instance", "s3/getMedia")
	refuse("POST", "/s3/getMediaUrl/:instance", "s3/getMediaUrl")
	for _, name := range []string{"template", "business", "openai", "dify", "flowise", "n8n", "evoai", "evolutionBot"} {
		all = append(all, route{methods: "GET", path: "/" + name + "/find/:instance", do: func(*request) (answer, error) {
			return answer{http.StatusOK, []any{}}, nil
		}})
		refuse("POST", "/"+name+"/create/:instance", name)
	}
	return all
}
