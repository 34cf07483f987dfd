// What modules/fleet-role.bicep gives in one subscription, for all subscriptions of a management group, those to come too. Deployed by
// whoever may assign roles there: docs/deploy.md#clusters-in-many-subscriptions. Tests hold the actions equal.
targetScope = 'managementGroup'

@description('Object id of the identity of the app: SLUICE_IDENTITY of `azd env get-values`.')
param principalId string
param environmentName string

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(managementGroup().id, 'sluice', environmentName)
  properties: {
    roleName: 'Sluice fleet updater (${environmentName}, ${managementGroup().name})'
    description: 'Reads Arc-enabled Kubernetes clusters, and writes their Flux extension and Flux configurations.'
    type: 'CustomRole'
    assignableScopes: [managementGroup().id]
    permissions: [
      {
        actions: [
          'Microsoft.Kubernetes/connectedClusters/read'
          // Baselines write and remove these; a fleet without baselines can do without extensions/write and both deletes.
          'Microsoft.KubernetesConfiguration/extensions/read'
          'Microsoft.KubernetesConfiguration/extensions/write'
          'Microsoft.KubernetesConfiguration/extensions/delete'
          'Microsoft.KubernetesConfiguration/fluxConfigurations/read'
          'Microsoft.KubernetesConfiguration/fluxConfigurations/write'
          'Microsoft.KubernetesConfiguration/fluxConfigurations/delete'
          // What Resource Graph may show of clusters, and of the policies that manage them.
          'Microsoft.ResourceGraph/resources/read'
          'Microsoft.Authorization/policyAssignments/read'
          'Microsoft.PolicyInsights/policyStates/queryResults/read'
        ]
        notActions: []
      }
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(managementGroup().id, principalId, role.id)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: role.id
  }
}
