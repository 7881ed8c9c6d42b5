{{/* Values that contradict each other, which the schema cannot refuse. */}}
{{- define "regionwatch.check" -}}
{{- if not .Values.image.repository -}}
{{- fail "image.repository is not set: no public registry has the image; build it with make image IMAGE=REGISTRY/regionwatch, push it, and set image.repository=REGISTRY/regionwatch" -}}
{{- end -}}
{{- if and (include "regionwatch.exactlyOnce" .) (eq .Values.workload.kind "Deployment") (not .Values.workload.exactlyOnceWithoutStableNames) -}}
{{- fail "settings.delivery is exactly-once and workload.kind is Deployment: the pods of a Deployment have no stable names, so that after a kill readers of committed alerts wait for transaction-timeout; set workload.kind to StatefulSet, or workload.exactlyOnceWithoutStableNames to true" -}}
{{- end -}}
{{- if and (eq (int .Values.workload.maxSurge) 0) (eq (int .Values.workload.maxUnavailable) 0) -}}
{{- fail "workload.maxSurge and workload.maxUnavailable are both 0: a rollout could not begin; set one of them to 1" -}}
{{- end -}}
{{- $sources := list -}}
{{- range $name := list "text" "existingConfigMap" "path" -}}
{{- if index $.Values.policy $name -}}{{- $sources = append $sources (printf "policy.%s" $name) -}}{{- end -}}
{{- end -}}
{{- if index .Values.settings "policy-topic" -}}{{- $sources = append $sources "settings.policy-topic" -}}{{- end -}}
{{- if gt (len $sources) 1 -}}
{{- fail (printf "%s are given; give one of them" (join " and " $sources)) -}}
{{- end -}}
{{- if and .Values.policy.files (not .Values.policy.text) -}}
{{- fail "policy.files is given without policy.text, which would name them" -}}
{{- end -}}
{{- if gt (len (toJson (list .Values.policy.text .Values.policy.files))) 1000000 -}}
{{- fail "policy.text and policy.files have more than 1,000,000 bytes: a ConfigMap holds 1 MiB; put the policy in a volume and name it in policy.path, or in a topic and name that in settings.policy-topic" -}}
{{- end -}}
{{- with .Values.policy.cache -}}
{{- if and .claim .size -}}
{{- fail "policy.cache.claim and policy.cache.size are given; give one of them" -}}
{{- end -}}
{{- if and .size (ne $.Values.workload.kind "StatefulSet") -}}
{{- fail "policy.cache.size is given and workload.kind is Deployment: only the pods of a StatefulSet have claims of their own; name one that all pods may write in policy.cache.claim" -}}
{{- end -}}
{{- if and .storageClass (not .size) -}}
{{- fail "policy.cache.storageClass is given without policy.cache.size" -}}
{{- end -}}
{{- end -}}
{{- if and (include "regionwatch.cache" .) (not $sources) -}}
{{- fail "policy.cache is given without a policy: give policy.text, policy.existingConfigMap, policy.path or settings.policy-topic" -}}
{{- end -}}
{{- range $name, $_ := .Values.settingsFromFiles -}}
{{- if hasKey $.Values.settingsFromEnvironment (trimSuffix "-file" $name) -}}
{{- fail (printf "settingsFromFiles.%s and settingsFromEnvironment.%s are both given; give one of them" $name (trimSuffix "-file" $name)) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.podMonitor.enabled .Values.networkPolicy.enabled (not .Values.networkPolicy.from) (not .Values.networkPolicy.prometheusNamespace) -}}
{{- fail "podMonitor.enabled is true, and networkPolicy.prometheusNamespace and networkPolicy.from are empty: Prometheus would be kept out; name its namespace" -}}
{{- end -}}
{{- if and .Values.prometheusRule.enabled (not .Values.podMonitor.enabled) -}}
{{- fail "prometheusRule.enabled is true and podMonitor.enabled is false: the rules are about the job of the release's PodMonitor; enable it, or load deploy/prometheus/rules.yaml, which goes by the job's name" -}}
{{- end -}}
{{- if and .Values.tokenURLCA (not (index .Values.settings "oauth-token-url")) -}}
{{- fail "tokenURLCA is given without settings.oauth-token-url" -}}
{{- end -}}
{{- if and .Values.incidents.enabled (eq (default "native" (index .Values.settings "alert-format")) "ocsf") -}}
{{- fail "incidents.enabled is true and settings.alert-format is ocsf: incidents are made of native alerts; leave alert-format out, and set settings.incident-format to ocsf for OCSF incidents" -}}
{{- end -}}
{{- if .Values.keda.enabled -}}{{- include "regionwatch.checkKeda" . -}}{{- end -}}
{{- include "regionwatch.checkSwitch" . -}}
{{- end -}}

{{/* The kind of workload and the delivery mode change only while no pod runs: during a rollout instances of both would share the
group. helm template and GitOps tools that render with it have no cluster to ask. */}}
{{- define "regionwatch.checkSwitch" -}}
{{- $name := include "regionwatch.fullname" . -}}
{{- $settings := dig "data" "regionwatch.yaml" "" (lookup "v1" "ConfigMap" .Release.Namespace $name) | fromYaml -}}
{{- $delivery := default "at-least-once" $settings.delivery -}}
{{- $want := default "at-least-once" .Values.settings.delivery -}}
{{- range $kind := list "Deployment" "StatefulSet" -}}
{{- $workload := lookup "apps/v1" $kind $.Release.Namespace $name -}}
{{- $running := or (dig "spec" "replicas" 0 $workload) (dig "status" "replicas" 0 $workload) -}}
{{- if and $running (or (ne $kind $.Values.workload.kind) (ne $delivery $want)) -}}
{{- fail (printf "%s %s is running with delivery %s, and the values ask for a %s with delivery %s: stop it first with kubectl -n %s scale %s/%s --replicas=0, wait until its pods are gone, and repeat this" $kind $name $delivery $.Values.workload.kind $want $.Release.Namespace (lower $kind) $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "regionwatch.checkKeda" -}}
{{- if not .Values.keda.partitions -}}
{{- fail "keda.enabled is true and keda.partitions is not given: how many partitions the input topics have together; more instances than that are idle" -}}
{{- end -}}
{{- if gt (int .Values.keda.minReplicas) (int (include "regionwatch.kedaMaxReplicas" .)) -}}
{{- fail (printf "keda.minReplicas is %d, more than the %s that keda.maxReplicas and keda.partitions allow" (int .Values.keda.minReplicas) (include "regionwatch.kedaMaxReplicas" .)) -}}
{{- end -}}
{{- if not .Values.keda.prometheusURL -}}
{{- fail "keda.enabled is true and keda.prometheusURL is empty: KEDA scales by the lag in seconds, which Prometheus has" -}}
{{- end -}}
{{- if not (or .Values.podMonitor.enabled .Values.keda.prometheusJob) -}}
{{- fail "keda.enabled is true, and podMonitor.enabled is false: enable it, or name the job that scrapes the release in keda.prometheusJob" -}}
{{- end -}}
{{- end -}}
