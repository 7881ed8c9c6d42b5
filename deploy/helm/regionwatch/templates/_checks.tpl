{{/* What the schema cannot refuse: values that contradict each other. */}}
{{- define "regionwatch.check" -}}
{{- if and (include "regionwatch.exactlyOnce" .) (eq .Values.workload.kind "Deployment") (not .Values.workload.exactlyOnceWithoutStableNames) -}}
{{- fail "settings.delivery is exactly-once and workload.kind is Deployment: the pods of a Deployment have no stable names, so that after a kill readers of committed alerts wait for transaction-timeout; set workload.kind to StatefulSet, or workload.exactlyOnceWithoutStableNames to true" -}}
{{- end -}}
{{- if and (eq (int .Values.workload.maxSurge) 0) (eq (int .Values.workload.maxUnavailable) 0) -}}
{{- fail "workload.maxSurge and workload.maxUnavailable are both 0: a rollout could not begin; set one of them to 1" -}}
{{- end -}}
{{- if and .Values.policy.text .Values.policy.existingConfigMap -}}
{{- fail "policy.text and policy.existingConfigMap are both given; give one of them" -}}
{{- end -}}
{{- if and .Values.policy.files (not .Values.policy.text) -}}
{{- fail "policy.files is given without policy.text, which would name them" -}}
{{- end -}}
{{- if and (include "regionwatch.policyConfigMap" .) (index .Values.settings "policy-topic") -}}
{{- fail "policy and settings.policy-topic are both given; give one of them" -}}
{{- end -}}
{{- range $name, $_ := .Values.settingsFromFiles -}}
{{- if hasKey $.Values.settingsFromEnvironment (trimSuffix "-file" $name) -}}
{{- fail (printf "settingsFromFiles.%s and settingsFromEnvironment.%s are both given; give one of them" $name (trimSuffix "-file" $name)) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.podMonitor.enabled .Values.networkPolicy.enabled (not .Values.networkPolicy.from) -}}
{{- fail "podMonitor.enabled is true and networkPolicy.from is empty: Prometheus would be kept out; name its namespace in networkPolicy.from" -}}
{{- end -}}
{{- if and .Values.prometheusRule.enabled (not (contains "regionwatch" (printf "%s/%s" .Release.Namespace (include "regionwatch.fullname" .)))) -}}
{{- fail (printf "prometheusRule.enabled is true and the release's objects are named %s: the rules look for a job whose name contains regionwatch, and a PodMonitor's job is its namespace and name; leave out fullnameOverride and nameOverride, or give names with regionwatch in them" (include "regionwatch.fullname" .)) -}}
{{- end -}}
{{- if .Values.keda.enabled -}}{{- include "regionwatch.checkKeda" . -}}{{- end -}}
{{- end -}}

{{- define "regionwatch.checkKeda" -}}
{{- $mechanism := index .Values.settings "sasl-mechanism" -}}
{{- if not .Values.keda.partitions -}}
{{- fail "keda.enabled is true and keda.partitions is not given: how many partitions the input topics have together; more instances than that are idle" -}}
{{- end -}}
{{- if gt (int .Values.keda.minReplicas) (int (include "regionwatch.kedaMaxReplicas" .)) -}}
{{- fail (printf "keda.minReplicas is %d, more than the %s that keda.maxReplicas and keda.partitions allow" (int .Values.keda.minReplicas) (include "regionwatch.kedaMaxReplicas" .)) -}}
{{- end -}}
{{- if and $mechanism (ne $mechanism "AWS_MSK_IAM") (not .Values.keda.authentication.name) -}}
{{- fail (printf "keda.enabled is true, settings.sasl-mechanism is %s and keda.authentication.name is empty: KEDA asks the brokers itself; name a TriggerAuthentication" $mechanism) -}}
{{- end -}}
{{- if and (eq (default "" $mechanism) "AWS_MSK_IAM") (not .Values.keda.awsRegion) -}}
{{- fail "keda.enabled is true, settings.sasl-mechanism is AWS_MSK_IAM and keda.awsRegion is empty" -}}
{{- end -}}
{{- end -}}
