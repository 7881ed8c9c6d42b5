package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// noAWS hides the machine's own AWS configuration.
func noAWS(t *testing.T) folder {
	t.Helper()
	f := newFolder(t)
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_REGION", "AWS_DEFAULT_REGION",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", f.path+"/credentials")
	t.Setenv("AWS_CONFIG_FILE", f.path+"/config")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return f
}

func openIAMTest(t *testing.T) *Connection {
	t.Helper()
	return mustOpen(t, Options{Addresses: []string{"localhost:1"}, SASL: SASL{Mechanism: "AWS_MSK_IAM"}})
}

// mustSign checks that the broker learns who connects, for its region, and nothing secret.
func mustSign(t *testing.T, key, sessionToken string) {
	t.Helper()
	first, err := authenticate(t, openIAMTest(t))
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	if err := json.Unmarshal([]byte(first), &said); err != nil {
		t.Fatal(err)
	}
	if got := said["x-amz-credential"]; !strings.HasPrefix(got, key+"/") || !strings.Contains(got, "/eu-west-1/kafka-cluster/") {
		t.Errorf("credential %q, want key %s", got, key)
	}
	if said["x-amz-security-token"] != sessionToken || strings.Contains(first, "s3cret") {
		t.Errorf("said %v", said)
	}
}

// Credentials are found in each place AWS puts them.
func TestIAMCredentials(t *testing.T) {
	answer := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/latest/api/token":
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
			fmt.Fprint(w, "metadata")
		case "/latest/meta-data/iam/security-credentials/":
			fmt.Fprint(w, "role")
		case "/latest/meta-data/iam/security-credentials/role":
			fmt.Fprint(w, `{"Code":"Success","AccessKeyId":"AKINSTANCE","SecretAccessKey":"s3cret","Token":"session","Expiration":"2099-01-01T00:00:00Z"}`)
		case "/container":
			fmt.Fprint(w, `{"AccessKeyId":"AKCONTAINER","SecretAccessKey":"s3cret","Token":"session","Expiration":"2099-01-01T00:00:00Z"}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}
	t.Run("environment", func(t *testing.T) {
		noAWS(t)
		t.Setenv("AWS_ACCESS_KEY_ID", "AKENVIRONMENT")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
		mustSign(t, "AKENVIRONMENT", "")
	})
	t.Run("shared file", func(t *testing.T) {
		f := noAWS(t)
		t.Setenv("AWS_PROFILE", "kafka")
		f.put("credentials", []byte("[kafka]\naws_access_key_id = AKFILE\naws_secret_access_key = s3cret\naws_session_token = session\n"))
		mustSign(t, "AKFILE", "session")
	})
	t.Run("container", func(t *testing.T) {
		noAWS(t)
		s := httptest.NewServer(http.HandlerFunc(answer))
		defer s.Close()
		t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", s.URL+"/container")
		mustSign(t, "AKCONTAINER", "session")
	})
	t.Run("instance", func(t *testing.T) {
		noAWS(t)
		s := httptest.NewServer(http.HandlerFunc(answer))
		defer s.Close()
		t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
		t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", s.URL)
		mustSign(t, "AKINSTANCE", "session")
	})
}

// The search for credentials starts with the first authentication, and a failed one may succeed later.
func TestIAMFailure(t *testing.T) {
	f := noAWS(t)
	c := openIAMTest(t)
	_, err := authenticate(t, c)
	mustMention(t, err, "looking for AWS credentials", "environment, shared file")
	if r, ok := errors.AsType[*Refusal](err); !ok || r.Refused() {
		t.Errorf("not known to pass: %v", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "AKENVIRONMENT")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
	_, _, err = openIAMTest(t).mechanism.Authenticate(t.Context(), "kafka.example.com:9098")
	mustMention(t, err, "kafka.example.com", "set AWS_REGION")
	if r, ok := errors.AsType[*Refusal](err); !ok || !r.Refused() {
		t.Errorf("not known as a refusal: %v", err)
	}
	t.Setenv("AWS_PROFILE", "missing")
	f.put("config", []byte("[default]\n"))
	_, err = authenticate(t, openIAMTest(t))
	mustMention(t, err, "missing", "AWS_PROFILE")
}
